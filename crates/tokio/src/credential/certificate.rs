//! Signs the assertion of a service principal with its certificate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use copilot_keyless::environment::Variable;
use copilot_keyless::request::identity::Call;
use copilot_keyless::{Code, Error};
use ring::{digest, rand};
use rustls::SignatureScheme;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::direct::DirectCredentialBuilder;
use super::{CredentialError, secret};
use crate::clock::millis_since_epoch;

/// How long an assertion is valid, in seconds.
const LIFETIME: i64 = 600;

const HINT: &str = "AZURE_CLIENT_CERTIFICATE_PATH must name a PEM file with the certificate and its RSA key, unencrypted. \
                    Convert a PFX file with: openssl pkcs12 -in cert.pfx -out cert.pem -nodes";

/// Whether the service principal of the environment has a certificate and no secret.
pub(super) fn is_set(settings: &DirectCredentialBuilder) -> bool {
    let has = |variable: Variable| settings.vars.get(variable.as_str()).is_some();
    settings.client_secret.is_none()
        && !has(Variable::AzureClientSecret)
        && has(Variable::AzureClientCertificatePath)
}

/// Returns an assertion for a request: a JWT for its token endpoint, signed with PS256.
pub(super) fn assertion(
    call: &Call,
    settings: &DirectCredentialBuilder,
) -> Result<Zeroizing<String>, CredentialError> {
    let path = settings
        .vars
        .get(Variable::AzureClientCertificatePath.as_str())
        .unwrap_or_default();
    let pem = std::fs::read(&path).map(Zeroizing::new).map_err(|cause| {
        let error = configuration("The file of AZURE_CLIENT_CERTIFICATE_PATH cannot be read");
        CredentialError::from(error).with_source(cause)
    })?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .filter_map(Result::ok)
        .collect();
    let own = certificates
        .first()
        .ok_or_else(|| configuration("The file of AZURE_CLIENT_CERTIFICATE_PATH holds no certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| configuration("The file of AZURE_CLIENT_CERTIFICATE_PATH holds no unencrypted key"))?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)
        .ok()
        .and_then(|key| key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]))
        .ok_or_else(|| configuration("The key of AZURE_CLIENT_CERTIFICATE_PATH is no RSA key"))?;

    let client = settings
        .client_id
        .clone()
        .or_else(|| settings.vars.get(Variable::AzureClientId.as_str()))
        .unwrap_or_default();
    let id: [u8; 16] = rand::generate(&rand::SystemRandom::new())
        .map(rand::Random::expose)
        .map_err(|_| CredentialError::new("the system has no random numbers"))?;
    let now = millis_since_epoch(settings.clock.wall()) / 1_000;
    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, own).as_ref());
    let chain = sends_chain(settings).then(|| {
        let texts: Vec<String> = certificates
            .iter()
            .map(|one| format!("\"{}\"", STANDARD.encode(one)))
            .collect();
        format!(",\"x5c\":[{}]", texts.join(","))
    });
    let header = format!(
        r#"{{"alg":"PS256","typ":"JWT","x5t#S256":"{thumbprint}"{}}}"#,
        chain.unwrap_or_default()
    );
    let client = text_in_json(&client);
    let claims = format!(
        r#"{{"aud":{},"iss":{client},"sub":{client},"jti":"{}","nbf":{},"exp":{}}}"#,
        text_in_json(&call.url),
        secret::hex(&id),
        now - LIFETIME / 2,
        now + LIFETIME
    );
    let content = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = signer
        .sign(content.as_bytes())
        .map_err(|_| configuration("The key of AZURE_CLIENT_CERTIFICATE_PATH signs nothing"))?;
    Ok(Zeroizing::new(format!(
        "{content}.{}",
        URL_SAFE_NO_PAD.encode(signature)
    )))
}

/// Whether to send the certificate, for authentication by its subject and issuer.
fn sends_chain(settings: &DirectCredentialBuilder) -> bool {
    let value = settings.vars.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true"))
}

fn configuration(message: &str) -> Error {
    Error::new(Code::CredentialConfiguration, message).hint(HINT)
}

/// Quotes a text of JSON. An id or a URL of ours has no control characters.
fn text_in_json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
