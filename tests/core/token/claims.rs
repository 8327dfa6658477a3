//! The claims of tokens, in documented and in observed forms.
use base64::Engine as _;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use copilot_keyless::token::claims::{Principal, TokenDescription, TokenFormat, describe};
use serde_json::{Value, json};

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({ "alg": "RS256", "typ": "JWT" })),
        part(claims)
    )
}

fn described(claims: &Value) -> TokenDescription {
    let description = describe(&jwt(claims));
    assert_eq!(description.format, TokenFormat::Jwt);
    description
}

#[test]
fn a_managed_identity() {
    let id =
        "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/bot";
    let description = described(&json!({
        "aud": "https://ai.azure.com/", "iss": "https://sts.windows.net/t/", "tid": "t", "oid": "o", "appid": "a",
        "idtyp": "app", "xms_mirid": id, "iat": 1_700_000_000, "nbf": 1_700_000_001, "exp": 1_700_086_400,
        "xms_cc": ["cp1"], "roles": ["Reader"], "ver": "1.0",
    }));
    assert_eq!(
        serde_json::to_value(&description).unwrap(),
        json!({
            "format": "jwt", "principal": "managed-identity", "audience": "https://ai.azure.com",
            "issuer": "https://sts.windows.net/t/", "tenantId": "t", "objectId": "o", "appId": "a", "managedIdentity": id,
            "scopes": [], "roles": ["Reader"], "issuedAt": 1_700_000_000_000_i64, "notBefore": 1_700_000_001_000_i64,
            "expiresOn": 1_700_086_400_000_i64, "continuousAccess": true,
        })
    );
}

#[test]
fn a_person_with_the_azure_cli() {
    let description = described(&json!({
        "aud": ["https://cognitiveservices.azure.com"], "azp": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "scp": "user_impersonation openid", "upn": "ada@example.com", "idtyp": "user",
    }));
    assert_eq!(description.principal, Principal::User);
    assert_eq!(description.app_name, Some("Azure CLI"));
    assert_eq!(description.user_name.as_deref(), Some("ada@example.com"));
    assert_eq!(description.scopes, ["user_impersonation", "openid"]);
    assert_eq!(
        description.audience.as_deref(),
        Some("https://cognitiveservices.azure.com")
    );
    assert!(!description.continuous_access);
}

#[test]
fn principals_are_told_by_the_best_claim() {
    assert_eq!(described(&json!({ "idtyp": "app" })).principal, Principal::App);
    assert_eq!(described(&json!({ "scp": "a" })).principal, Principal::User);
    assert_eq!(
        described(&json!({ "appid": "1950a258-227b-4e31-a9cf-717495945fc2" })).app_name,
        Some("Azure PowerShell")
    );
    assert_eq!(described(&json!({})).principal, Principal::Unknown);
    assert_eq!(
        described(&json!({ "unique_name": "a" })).user_name.as_deref(),
        Some("a")
    );
    assert_eq!(
        described(&json!({ "preferred_username": "b" }))
            .user_name
            .as_deref(),
        Some("b")
    );
}

#[test]
fn claims_of_the_wrong_type_are_left_out() {
    let description = described(&json!({
        "aud": 1, "iss": [], "tid": {}, "oid": null, "exp": "soon", "iat": -1, "nbf": 1e300, "scp": 5, "roles": [1, "a", null],
        "xms_cc": "cp1 cp2", "appid": true,
    }));
    assert_eq!(description.roles, ["a"]);
    assert_eq!(
        (
            description.expires_on,
            description.issued_at,
            description.not_before
        ),
        (None, None, None)
    );
    assert_eq!(
        (description.audience, description.app_id, description.object_id),
        (None, None, None)
    );
    assert!(description.continuous_access);
    assert_eq!(described(&json!({ "aud": [] })).audience, None);
}

#[test]
fn a_prefix_white_space_and_padding_do_no_harm() {
    let token = jwt(&json!({ "oid": "o" }));
    for given in [
        format!("Bearer {token}"),
        format!("  {token}\n"),
        format!("bEARER {token}"),
    ] {
        assert_eq!(describe(&given).object_id.as_deref(), Some("o"), "{given}");
    }
    let padded = format!(
        "e30.{}.",
        BASE64_URL_SAFE.encode(json!({ "oid": "o" }).to_string())
    );
    assert!(padded.contains('='));
    assert_eq!(describe(&padded).object_id.as_deref(), Some("o"));
}

#[test]
fn what_is_no_signed_jwt_is_opaque() {
    let long = jwt(&json!({ "pad": "x".repeat(300_000) }));
    for opaque in [
        "",
        "abc",
        "a.b",
        "a.b.c",
        "e30.!!.x",
        "e30.W10.x",
        "e30.bnVsbA.x",
        "a.b.c.d.e",
        "é.é.é",
        &long,
    ] {
        let description = describe(opaque);
        assert_eq!(description.format, TokenFormat::Opaque);
        assert_eq!(description.principal, Principal::Unknown);
    }
    assert_eq!(
        describe(&jwt(&json!({ "pad": "x".repeat(16_384) }))).format,
        TokenFormat::Jwt,
        "16 KiB and more are read"
    );
}
