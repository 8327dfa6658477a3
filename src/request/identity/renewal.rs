//! Renews a managed identity's token that the resource rejected. The platform keeps the token for
//! about 24 h and returns it again, unless the request names it as revoked.
//!
//! The parameters are those of MSAL's design document (`docs/msiv1_token_revocation.md` in
//! microsoft-authentication-library-for-dotnet): `xms_cc=cp1`, the ability to handle a revocation,
//! and `token_sha256_to_refresh`, the hash of the rejected token. App Service takes them from
//! api-version 2025-03-30 on, Service Fabric in every version. The document sends `xms_cc` with
//! every request; this crate sends it with a renewal only, because nobody knows which hosts take
//! the newer version.

use serde::Serialize;

use super::{Request, Source, TIMEOUT_MS};

const ORDINARY_VERSION: &str = "2019-08-01";
const RENEWAL_VERSION: &str = "2025-03-30";

/// The endpoint answers from this machine at once. A renewal without an answer must leave the caller
/// time for the ordinary request.
const RENEWAL_TIMEOUT_MS: u32 = 2_000;

/// The api-version of App Service and, if the request renews a token, the parameters of that.
pub(super) struct Renewal<'a>(Option<&'a str>);

impl<'a> Renewal<'a> {
    /// Decides whether a request to a source renews the rejected token.
    pub(super) fn of(request: &'a Request, source: Source) -> Self {
        let hash = request.rejected_token_sha256.as_deref();
        let taken = matches!(source, Source::AppService | Source::ServiceFabric) && !request.renewal_refused;
        Self(hash.filter(|hash| taken && is_sha256(hash)))
    }

    pub(super) fn renews(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the api-version of App Service.
    pub(super) fn app_service_version(&self) -> &'static str {
        if self.renews() {
            RENEWAL_VERSION
        } else {
            ORDINARY_VERSION
        }
    }

    /// Returns the timeout of the request, in milliseconds.
    pub(super) fn timeout_ms(&self) -> u32 {
        if self.renews() {
            RENEWAL_TIMEOUT_MS
        } else {
            TIMEOUT_MS
        }
    }

    /// Returns the parameters to append to the query; empty for an ordinary request.
    pub(super) fn parameters(&self) -> String {
        self.0
            .map(|hash| format!("&token_sha256_to_refresh={hash}&xms_cc=cp1"))
            .unwrap_or_default()
    }
}

/// A renewal that brought no token. The caller sends the ordinary request at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NotRenewed {
    /// Whether the endpoint does not know renewals. The caller remembers it for
    /// [`Request::renewal_refused`].
    pub refused: bool,
}

impl NotRenewed {
    /// `status` 0 means no response. A lack of permission, throttling and failures of the server do
    /// not depend on the version.
    pub(super) fn by(status: u16) -> Self {
        Self {
            refused: matches!(status, 400 | 404 | 405 | 406 | 415 | 422 | 501 | 505),
        }
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
