//! What the network says when no answer comes.

use super::answer::Answer;
use super::remedy::Setup;
use super::{DiagnosisCode, Finding};

/// Why a connection fails. Each has the words of Node, of curl, of the Rust stack and of browsers where they differ.
const REASONS: [(&[&str], &str, &[&str]); 6] = [
    (
        &[
            "enotfound",
            "getaddrinfo",
            "eai_again",
            "eai_",
            "dns error",
            "name not resolved",
            "name or service not known",
        ],
        "its name cannot be resolved",
        &[
            "Check the resource's name and that it exists:\naz cognitiveservices account list --query \"[].properties.endpoint\" --output tsv",
            "With a private endpoint, check that this network uses the private DNS zone.",
        ],
    ),
    (
        &[
            "cert_",
            "certificate",
            "self-signed",
            "self signed",
            "unable to verify",
            "ssl",
            "tls",
        ],
        "its certificate is not trusted here",
        &[
            "If a proxy of your organisation inspects TLS, make its certificate known:\nexport NODE_EXTRA_CA_CERTS=<file>.pem",
        ],
    ),
    (
        &[
            "failed to fetch",
            "networkerror when attempting",
            "load failed",
            "cors",
        ],
        "the browser let no answer through, and does not say why",
        &[
            "Azure's model endpoints allow no calls from pages of other origins (CORS): call from a server, or through a \
             gateway that adds the CORS headers.",
            "Else check the address and the network.",
        ],
    ),
    (
        &["econnrefused", "connection refused"],
        "the connection is refused",
        &["Check the host and the port, and that something listens there."],
    ),
    (
        &[
            "no answer within",
            "timed out",
            "timeout",
            "etimedout",
            "deadline",
        ],
        "no answer came in time",
        &[
            "Try again, with a longer timeout if the model is slow.",
            "If it lasts, look for a firewall that drops packets, and for a proxy (HTTPS_PROXY) that must be used.",
        ],
    ),
    (
        &[
            "econnreset",
            "socket hang up",
            "epipe",
            "connection reset",
            "other side closed",
            "terminated",
        ],
        "the connection was cut",
        &["Try again. If it lasts, look for a proxy or a firewall on the way."],
    ),
];

/// Explains why no answer came.
pub(super) fn explain(answer: &Answer, setup: &Setup<'_>) -> Finding {
    let host = setup.host();
    let reason = REASONS
        .iter()
        .find(|(words, _, _)| words.iter().any(|word| answer.says(word)));
    let (cause, fixes) = match reason {
        Some((_, why, fixes)) => (format!("{host} gave no answer: {why}."), *fixes),
        None => (
            format!("{host} gave no answer."),
            &["Check the address, this machine's network, and a proxy (HTTPS_PROXY) that must be used."][..],
        ),
    };
    Finding {
        code: DiagnosisCode::Network,
        cause,
        fixes: fixes.iter().map(|fix| (*fix).to_owned()).collect(),
    }
}
