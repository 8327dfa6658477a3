//! Judges the rows of `failures.json`: `{ id, kind, endpoint?, status?, headers?, body?, message?,
//! category, alsoAccept? }`.

use copilot_keyless::Secret;
use copilot_keyless::diagnosis::{
    CredentialDiagnosisCode, DiagnosisCode, FailedCredential, FailedRequest, diagnose, diagnose_credential,
};
use serde_json::Value;

use crate::{Judgement, text, texts};

/// Judges a refusal of a resource: the code of its diagnosis.
pub(crate) fn resource(row: &Value) -> Judgement {
    let category = text(row, "category");
    if text(row, "kind") != "resource" || category == "other" {
        return Judgement::NotJudged;
    }
    let status = row.get("status").and_then(Value::as_u64).unwrap_or_default();
    let found = diagnose(&FailedRequest {
        endpoint: row.get("endpoint").and_then(Value::as_str).map(str::to_owned),
        status: u16::try_from(status).unwrap_or_default(),
        headers: row
            .get("headers")
            .and_then(|headers| serde_json::from_value(headers.clone()).ok())
            .unwrap_or_default(),
        body: Some(reported(row).into()),
        ..FailedRequest::default()
    });
    let mut right: Vec<&str> = categories(row).flat_map(codes).collect();
    if status == 401 && is_ambiguous(reported(row)) {
        right.extend(["token-invalid", "wrong-audience", "token-expired"]);
    }
    if right.contains(&found.code.as_str()) {
        Judgement::Right
    } else if found.code == DiagnosisCode::Unknown {
        Judgement::Unknown {
            expected: right.join(" or "),
        }
    } else {
        Judgement::wrong(right.join(" or "), found.code.as_str())
    }
}

/// Judges a failure to get a token.
pub(crate) fn identity(row: &Value) -> Judgement {
    let category = text(row, "category");
    if text(row, "kind") != "identity" || category == "other" {
        return Judgement::NotJudged;
    }
    let status = row.get("status").and_then(Value::as_u64).unwrap_or_default();
    let part = |name: &str| row.get(name).and_then(Value::as_str).map(Secret::from);
    let found = diagnose_credential(&FailedCredential {
        error: part("message"),
        body: part("body"),
        status: u16::try_from(status).ok(),
        ..FailedCredential::default()
    });
    let right: Vec<&str> = categories(row).flat_map(credential_codes).copied().collect();
    if right.contains(&found.code.as_str()) {
        Judgement::Right
    } else if found.code == CredentialDiagnosisCode::Unknown {
        Judgement::Unknown {
            expected: right.join(" or "),
        }
    } else {
        Judgement::wrong(right.join(" or "), found.code.as_str())
    }
}

/// Returns the category and the others that the text leaves open.
fn categories(row: &Value) -> impl Iterator<Item = &str> {
    std::iter::once(text(row, "category")).chain(texts(row, "alsoAccept"))
}

/// Returns the text of the failure: the body, or else the message that was reported.
fn reported(row: &Value) -> &str {
    match text(row, "body") {
        "" => text(row, "message"),
        body => body,
    }
}

/// Whether the text lists every fault that a token can have. Without the token, all are possible.
fn is_ambiguous(body: &str) -> bool {
    let lower = body.to_ascii_lowercase();
    ["missing", "invalid", "audience", "expired"]
        .iter()
        .all(|word| lower.contains(word))
}

/// Returns the codes of a diagnosis that are right for a category.
fn codes(category: &str) -> Vec<&str> {
    match category {
        "expired-token" => vec!["token-expired"],
        "invalid-token" => vec!["token-invalid"],
        "wrong-cloud" => vec!["wrong-audience", "wrong-cloud"],
        "firewall" => vec!["firewall", "public-access-disabled"],
        "private-endpoint-dns" => vec!["public-access-disabled", "firewall", "network"],
        "resource-not-found" => vec!["network", "resource-not-found"],
        "wrong-api-version" => vec!["api-version"],
        "operation-not-supported" => vec!["operation-not-supported", "unsupported-parameter"],
        "local-auth-disabled" => vec!["keys-disabled"],
        "quota-exceeded" => vec!["rate-limited", "quota-exceeded"],
        "network-dns" | "network-tls" | "network-proxy" => vec!["network"],
        "claims-challenge" => vec!["claims-challenge", "token-expired"],
        "policy-blocked" => vec!["resource-blocked"],
        "bad-secret" => vec!["bad-key"],
        "other" => vec!["unknown"],
        other => vec![other],
    }
}

/// Returns the codes of a failure to get a token that are right for a category.
fn credential_codes(category: &str) -> &'static [&'static str] {
    match category {
        "not-signed-in" => &["not-signed-in", "sign-in-expired"],
        "expired-token" | "refresh-token-expired" => &["sign-in-expired"],
        "expired-secret" => &["secret-expired"],
        "bad-secret" | "wrong-secret" => &["wrong-secret", "certificate-not-registered"],
        "federated-credential-mismatch" => &[
            "federated-mismatch",
            "federated-subject",
            "federated-issuer",
            "federated-audience",
            "federated-none",
        ],
        "managed-identity-not-available" => &["no-managed-identity", "imds-unreachable", "no-credential"],
        "managed-identity-not-assigned" => &["identity-not-assigned"],
        "identity-multiple-user-assigned" => &["several-identities"],
        "wrong-tenant" => &["wrong-tenant", "user-not-found"],
        "wrong-audience" => &["wrong-scope", "resource-disabled"],
        "wrong-cloud" => &["wrong-cloud"],
        "consent-or-app-not-found" => &["consent-missing", "application-not-found", "application-disabled"],
        "mfa-or-conditional-access" => &["mfa-required", "conditional-access"],
        "claims-challenge" => &["claims-challenge"],
        "network-proxy" => &["proxy"],
        "network-tls" => &["tls"],
        "network-dns" => &["dns"],
        "rate-limited" => &["throttled"],
        "server-error" => &["server-error"],
        "other" => &["tool-failed", "library-fault"],
        _ => &[],
    }
}
