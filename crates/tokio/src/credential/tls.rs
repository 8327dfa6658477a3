//! The rules of TLS connections. This crate brings its own provider of cryptography, and installs none
//! for the process.

use std::sync::{Arc, LazyLock};

use copilot_keyless::request::identity::Tls;
use copilot_keyless::{Code, Error};
use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{CredentialError, secret};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

/// The roots of the platform, with those of Mozilla behind them for images that have none.
static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Arc::new(roots)
});

type Result<T> = std::result::Result<T, CredentialError>;

/// For requests without TLS: trusts nobody, and reads no roots.
pub(super) fn none() -> Result<ClientConfig> {
    trusting(Arc::new(RootCertStore::empty()))
}

/// For hosts of the internet.
pub(super) fn usual() -> Result<ClientConfig> {
    trusting(Arc::clone(&ROOTS))
}

/// For an endpoint with rules of its own.
pub(super) fn by_rules(rules: &Tls) -> Result<ClientConfig> {
    if let Some(thumbprint) = &rules.thumbprint {
        return verified(Arc::new(Thumbprint(thumbprint.clone())));
    }
    let roots = match (&rules.ca, &rules.ca_file) {
        (Some(pem), _) => authority(pem.as_bytes())?,
        (None, Some(path)) => {
            let pem = std::fs::read(path).map_err(|cause| {
                let error = Error::new(
                    Code::CredentialConfiguration,
                    format!("AZURE_KUBERNETES_CA_FILE cannot be read: {path}"),
                )
                .hint("The webhook of AKS mounts it into pods that use an identity binding.");
                CredentialError::from(error).with_source(cause)
            })?;
            authority(&pem)?
        }
        (None, None) => Arc::clone(&ROOTS),
    };
    trusting(roots)
}

fn authority(pem: &[u8]) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(std::result::Result::ok));
    if roots.is_empty() {
        let error = Error::new(
            Code::CredentialConfiguration,
            "The certificate authority of the identity binding cannot be read",
        );
        return Err(error
            .hint("Look at AZURE_KUBERNETES_CA_FILE, or AZURE_KUBERNETES_CA_DATA.")
            .into());
    }
    Ok(Arc::new(roots))
}

fn trusting(roots: Arc<RootCertStore>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn verified(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> CredentialError {
    CredentialError::new("TLS cannot be set up").with_source(error)
}

/// Accepts only the certificate with this SHA-1 digest, which may be self-signed.
#[derive(Debug)]
struct Thumbprint(String);

impl ServerCertVerifier for Thumbprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, end_entity);
        if secret::hex(digest.as_ref()) == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General(
                "the certificate has another thumbprint than IDENTITY_SERVER_THUMBPRINT".to_owned(),
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
