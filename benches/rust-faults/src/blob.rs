//! Clients of Blob Storage, which read a blob.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_identity::ManagedIdentityCredential;
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use copilot_keyless_tokio::{RejectionPolicy, TokenConnector, TokenPolicy, TokenProvider, TokenProviders};
use object_store::ObjectStoreExt as _;
use object_store::azure::{AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::client::{CredentialProvider, ReqwestConnector};

use crate::program::{BoxError, Program, STORAGE, address};
use crate::theirs::{Cache, credential};

const ACCOUNT: &str = "devstoreaccount1";
const CONTAINER: &str = "faults";
const BLOB: &str = "blob.txt";
const TEXT: &[u8] = b"Hello";

fn is_text(bytes: &[u8]) -> Result<(), BoxError> {
    if bytes == TEXT {
        Ok(())
    } else {
        Err("another text".into())
    }
}

/// With a credential, the client puts the token policy of `azure_core` before it.
pub fn storage_blob(tokens: &str) -> Arc<dyn Program> {
    let mut options = BlobContainerClientOptions::default();
    let policies = &mut options.client_options.per_try_policies;
    let credential: Option<Arc<dyn TokenCredential>> = match tokens {
        "copilot-keyless" => {
            let providers = TokenProviders::from_env().expect("the environment is whole");
            policies.push(Arc::new(RejectionPolicy::new(providers.clone())));
            Some(Arc::new(providers))
        }
        "copilot-keyless, TokenPolicy" => {
            let tokens = TokenProvider::for_scope(STORAGE).expect("it is a scope");
            let policy: Arc<dyn Policy> = Arc::new(TokenPolicy::new(tokens));
            policies.push(policy);
            None
        }
        "azure_identity behind azure_core" => Some(credential()),
        _ => panic!("there are no tokens {tokens}"),
    };
    let url = format!("{}/{ACCOUNT}/{CONTAINER}", address());
    let container = BlobContainerClient::new(url.parse().expect("it is a URL"), credential, Some(options));
    Arc::new(StorageBlob(container.expect("https").blob_client(BLOB)))
}

struct StorageBlob(BlobClient);

#[async_trait]
impl Program for StorageBlob {
    async fn call(&self) -> Result<(), BoxError> {
        let found = self.0.download(None).await?;
        is_text(&found.body.collect().await?)
    }
}

pub fn object_store(tokens: &str) -> Arc<dyn Program> {
    let store = MicrosoftAzureBuilder::new()
        .with_account(ACCOUNT)
        .with_container_name(CONTAINER)
        .with_endpoint(format!("{}/{ACCOUNT}", address()));
    let store = match tokens {
        "copilot-keyless" => {
            let tokens = TokenProvider::for_scope(STORAGE).expect("it is a scope");
            store
                .with_http_connector(TokenConnector::new(tokens.clone(), ReqwestConnector::default()))
                .with_credentials(Arc::new(tokens))
        }
        "azure_identity" => store.with_credentials(Arc::new(Identity(credential()))),
        "azure_identity behind azure_core" => store.with_credentials(Arc::new(Cache::new(STORAGE))),
        "object_store" => store.with_msi_endpoint(std::env::var("IDENTITY_ENDPOINT").expect("it is set")),
        _ => panic!("there are no tokens {tokens}"),
    };
    Arc::new(Store(store.build().expect("it is whole")))
}

struct Store(MicrosoftAzure);

#[async_trait]
impl Program for Store {
    async fn call(&self) -> Result<(), BoxError> {
        let found = self.0.get(&BLOB.into()).await?;
        is_text(&found.bytes().await?)
    }
}

fn bearer(token: azure_core::Result<String>) -> object_store::Result<Arc<AzureCredential>> {
    match token {
        Ok(token) => Ok(Arc::new(AzureCredential::BearerToken(token))),
        Err(error) => Err(object_store::Error::Generic {
            store: "MicrosoftAzure",
            source: Box::new(error),
        }),
    }
}

#[derive(Debug)]
struct Identity(Arc<ManagedIdentityCredential>);

#[async_trait]
impl CredentialProvider for Identity {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let token = self.0.get_token(&[STORAGE], None).await;
        bearer(token.map(|token| token.token.secret().to_owned()))
    }
}

#[async_trait]
impl CredentialProvider for Cache {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        bearer(self.token().await)
    }
}
