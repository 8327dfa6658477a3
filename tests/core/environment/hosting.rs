//! The variables of a hosted agent.

use copilot_keyless::Variables;
use copilot_keyless::environment::{hosting, is_session_id};

#[test]
fn the_platform_is_known_by_a_variable_that_is_not_blank() {
    let hosted =
        |value: &'static str| hosting(&Variables::from([("FOUNDRY_HOSTING_ENVIRONMENT", value)])).hosted;
    assert_eq!(
        [hosted("production"), hosted(""), hosted("  ")],
        [true, false, false]
    );
    assert!(!hosting(&Variables::default()).hosted);
}

#[test]
fn a_session_id_that_no_header_could_carry_counts_as_unset() {
    let session = |value: &str| hosting(&Variables::from([("FOUNDRY_AGENT_SESSION_ID", value)])).session_id;
    assert_eq!(session(" s-1 ").as_deref(), Some("s-1"));
    assert_eq!(session("a\nb"), None);
    assert!(is_session_id(&"x".repeat(256)) && !is_session_id(&"x".repeat(257)));
    assert!(!is_session_id("") && !is_session_id("é") && !is_session_id("a/b"));
}

#[test]
fn the_agent_has_its_version_after_a_colon() {
    let agent = |env: &[(&str, &str)]| hosting(&env.iter().copied().collect()).agent;
    assert_eq!(
        agent(&[("FOUNDRY_AGENT_NAME", "a"), ("FOUNDRY_AGENT_VERSION", "2")]).as_deref(),
        Some("a:2")
    );
    assert_eq!(agent(&[("FOUNDRY_AGENT_NAME", "a")]).as_deref(), Some("a"));
    assert_eq!(agent(&[("FOUNDRY_AGENT_VERSION", "2")]), None);
}
