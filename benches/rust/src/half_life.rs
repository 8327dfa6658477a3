//! The fairest peer: a cache over `azure_identity` as the native driver of Cosmos DB describes its own
//! (azure-sdk-for-rust #5082), which no crate publishes. One request for all callers; from half a token's
//! life on a refresh in the background; the token as long as it is valid.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential as _};
use azure_core::time::OffsetDateTime;
use azure_identity::ManagedIdentityCredential;
use tokio::sync::Mutex;

use crate::systems::{Ahead, System};

pub struct HalfLife {
    ours: Arc<Cache>,
    other: Arc<Cache>,
    ahead: Ahead,
}

impl HalfLife {
    pub fn new(credential: &Arc<ManagedIdentityCredential>) -> Self {
        let ahead = Ahead::default();
        let cache = |scope| {
            Arc::new(Cache {
                credential: Arc::clone(credential),
                scope,
                ahead: ahead.clone(),
                kept: RwLock::default(),
                flight: Arc::default(),
            })
        };
        let (ours, other) = (cache(crate::SCOPE), cache(crate::OTHER));
        Self { ours, other, ahead }
    }
}

#[async_trait]
impl System for HalfLife {
    async fn token(&self, scope: &'static str) -> Result<(), String> {
        let cache = if scope == crate::SCOPE {
            &self.ours
        } else {
            &self.other
        };
        let token = cache.token().await;
        token.map(drop).map_err(|error| error.to_string())
    }

    async fn calls(&self, _: &'static str, count: u32) {
        for _ in 0..count {
            std::hint::black_box(self.ours.token().await.expect("it has one"));
        }
    }

    fn near_its_end(&self) {
        self.ahead.near_its_end();
    }
}

struct Cache {
    credential: Arc<ManagedIdentityCredential>,
    scope: &'static str,
    ahead: Ahead,
    kept: RwLock<Option<Kept>>,
    /// Held by whoever asks the credential.
    flight: Arc<Mutex<()>>,
}

struct Kept {
    token: AccessToken,
    refresh_on: OffsetDateTime,
}

impl Cache {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.ahead.offset()
    }

    /// Returns the token if it is valid, and whether a refresh is due.
    fn valid(&self) -> Option<(AccessToken, bool)> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let (now, kept) = (self.now(), kept.as_ref()?);
        (now < kept.token.expires_on).then(|| (kept.token.clone(), kept.refresh_on <= now))
    }

    async fn token(self: &Arc<Self>) -> azure_core::Result<AccessToken> {
        if let Some((token, due)) = self.valid() {
            if due && let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() {
                let cache = Arc::clone(self);
                tokio::spawn(async move {
                    let _flight = flight;
                    cache.acquire().await
                });
            }
            return Ok(token);
        }
        let _flight = self.flight.lock().await;
        match self.valid() {
            Some((token, _)) => Ok(token),
            None => self.acquire().await,
        }
    }

    async fn acquire(&self) -> azure_core::Result<AccessToken> {
        let token = self.credential.get_token(&[self.scope], None).await?;
        let now = self.now();
        let kept = Kept {
            refresh_on: now + (token.expires_on - now) / 2,
            token: token.clone(),
        };
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(token)
    }
}
