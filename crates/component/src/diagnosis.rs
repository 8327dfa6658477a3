//! Implements the interface `diagnosis`.

use super::wit::diagnosis::{
    Assignment, Challenge, CredentialDiagnosis, CredentialLink, Diagnosis, FailedCredential, FailedRequest,
    Guest, Limited, Principal, RateLimit, TokenDescription, TokenFormat,
};
use super::{Component, same_names};
use copilot_keyless::diagnosis;
use copilot_keyless::token::{challenge, claims};

impl Guest for Component {
    fn diagnose(failure: FailedRequest) -> Diagnosis {
        diagnosis::diagnose(&failure.into()).into()
    }

    fn diagnose_credential(failure: FailedCredential) -> CredentialDiagnosis {
        diagnosis::diagnose_credential(&failure.into()).into()
    }

    fn check_token(attempt: FailedRequest) -> Option<Diagnosis> {
        diagnosis::check_token(&attempt.into()).map(Into::into)
    }

    fn role_assignment(attempt: FailedRequest) -> Assignment {
        let assignment = diagnosis::role_assignment(&attempt.into());
        Assignment {
            role: assignment.role.to_owned(),
            role_id: assignment.role_id.to_owned(),
            command: assignment.command,
        }
    }

    fn decode_token(token: String) -> TokenDescription {
        claims::describe(&token).into()
    }

    fn parse_challenge(www_authenticate: String) -> Challenge {
        let found = challenge::parse(&www_authenticate);
        Challenge {
            claims: found.claims,
            error: found.error,
            error_description: found.error_description,
            authorization_uri: found.authorization_uri,
        }
    }
}

same_names!(diagnosis::Limited => Limited { Requests, Tokens });
same_names!(claims::TokenFormat => TokenFormat { Jwt, Opaque });
same_names!(claims::Principal => Principal { ManagedIdentity, App, User, Unknown });

impl From<FailedRequest> for diagnosis::FailedRequest {
    fn from(failure: FailedRequest) -> Self {
        Self {
            endpoint: failure.endpoint,
            options: failure.options.into(),
            status: failure.status,
            headers: failure.headers.into_iter().collect(),
            body: failure.body.map(Into::into),
            token: failure.token.map(Into::into),
            now: failure.now,
            deployment: failure.deployment,
            wire_api: failure.wire_api,
            agent: failure.agent,
            env: copilot_keyless::Variables::default(),
        }
    }
}

impl From<FailedCredential> for diagnosis::FailedCredential {
    fn from(failure: FailedCredential) -> Self {
        Self {
            error: failure.error.map(Into::into),
            errors: failure.errors.into_iter().map(Into::into).collect(),
            status: failure.status,
            body: failure.body.map(Into::into),
            env: failure.env.into_iter().collect(),
        }
    }
}

impl From<diagnosis::CredentialDiagnosis> for CredentialDiagnosis {
    fn from(found: diagnosis::CredentialDiagnosis) -> Self {
        let links = found.links.into_iter().map(|link| CredentialLink {
            credential: link.credential.to_owned(),
            code: link.code.as_str().to_owned(),
            text: link.text,
        });
        Self {
            code: found.code.as_str().to_owned(),
            title: found.title.to_owned(),
            cause: found.cause,
            fixes: found.fixes,
            aadsts: found.aadsts,
            retryable: found.retryable,
            credential: found.credential.map(str::to_owned),
            status: found.status,
            links: links.collect(),
        }
    }
}

impl From<diagnosis::Diagnosis> for Diagnosis {
    fn from(found: diagnosis::Diagnosis) -> Self {
        Self {
            code: found.code.as_str().to_owned(),
            title: found.title.to_owned(),
            cause: found.cause,
            fixes: found.fixes,
            retryable: found.retryable,
            token_rejected: found.token_rejected,
            status: found.status,
            message: found.message,
            retry_after_ms: found.retry_after_ms,
            request_id: found.request_id,
            rate_limit: found.rate_limit.map(Into::into),
        }
    }
}

impl From<diagnosis::RateLimit> for RateLimit {
    fn from(found: diagnosis::RateLimit) -> Self {
        Self {
            used_up: found.used_up.map(Into::into),
            limit: found.limit,
            remaining: found.remaining,
            resets_in_ms: found.resets_in_ms,
            waiting_helps: found.waiting_helps,
            abuse_penalty: found.abuse_penalty,
            spilled_over: found.spilled_over,
        }
    }
}

impl From<claims::TokenDescription> for TokenDescription {
    fn from(token: claims::TokenDescription) -> Self {
        Self {
            format: token.format.into(),
            principal: token.principal.into(),
            audience: token.audience,
            issuer: token.issuer,
            tenant_id: token.tenant_id,
            object_id: token.object_id,
            app_id: token.app_id,
            app_name: token.app_name.map(str::to_owned),
            user_name: token.user_name,
            managed_identity: token.managed_identity,
            scopes: token.scopes,
            roles: token.roles,
            issued_at: token.issued_at,
            not_before: token.not_before,
            expires_on: token.expires_on,
            continuous_access: token.continuous_access,
        }
    }
}
