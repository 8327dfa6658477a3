//! Explains network errors.

use super::request_details::Setup;
use super::{DiagnosisCode, Finding};
use crate::answer::body::Answer;
use crate::environment::bypass;

/// Causes of a failed connection, with the messages of Node, curl, the Rust stack and browsers
/// where they differ.
const REASONS: [(&[&str], &str, &[&str]); 13] = [
    (
        &[
            "tunnel",
            "proxy",
            "zscaler",
            "squid",
            "blue coat",
            "forcepoint",
            "fortiguard",
            "netskope",
        ],
        "a proxy does not let the request through",
        &["Ask the proxy's operator to allow the host."],
    ),
    (
        &[
            "enotfound",
            "getaddrinfo",
            "eai_again",
            "eai_",
            "dns error",
            "name not resolved",
            "name or service not known",
            "name resolution",
            "failed to resolve",
            "nodename nor servname",
            "no such host",
            "dial tcp: lookup",
            "remote name could not be resolved",
            "invalid label",
        ],
        "its name cannot be resolved",
        &[
            "Check the resource's name and that it exists:\naz cognitiveservices account list --query \"[].properties.endpoint\" --output tsv",
            "With a private endpoint, check that this network uses the private DNS zone.",
        ],
    ),
    (
        &[
            "the answer cannot be read",
            "hpe_",
            "does not match the http/1.1 protocol",
            "headers overflow",
        ],
        "its answer cannot be read as HTTP",
        &["Check the port, and whether a proxy answers in its place."],
    ),
    (
        &[
            "econnreset",
            "socket hang up",
            "epipe",
            "connection reset",
            "other side closed",
            "disconnected before secure",
            "terminated",
            "remotedisconnected",
            "connection aborted",
            "server disconnected",
            "unexpected eof",
        ],
        "the connection was cut",
        &["Try again. If it lasts, look for a proxy or a firewall on the way."],
    ),
    (
        &[
            "cert_has_expired",
            "certificate has expired",
            "cert_not_yet_valid",
            "certificate is not yet valid",
            "certificate expired",
            "certificate not valid yet",
        ],
        "its certificate has expired or is not valid yet",
        &["Check this machine's clock first, then the certificate of that host."],
    ),
    (
        &[
            "altname",
            "does not match certificate",
            "certificate not valid for name",
        ],
        "its certificate is for another name",
        &["Check the host in the endpoint, and whether a proxy answers in its place."],
    ),
    (
        &[
            "wrong version number",
            "wrong_version_number",
            "packet length too long",
            "record layer failure",
            "corrupt message",
        ],
        "it does not use TLS at this port",
        &["Check the port, and whether the address begins with http: instead of https:."],
    ),
    (
        &[
            "self-signed",
            "self signed",
            "unable to verify",
            "unable to get",
            "unknown ca",
            "cert_",
            "certificate",
            "certification path",
            "x509:",
            "ssl connection",
            "sslerror",
        ],
        "its certificate is not trusted on this machine",
        &[
            "If a proxy of your organisation inspects TLS, trust its root certificate, by a file or by the system's store:\n\
             export NODE_EXTRA_CA_CERTS=<file>.pem\nexport NODE_OPTIONS=--use-system-ca",
            "Programs in Rust take such a file in place of the system's store:\nexport SSL_CERT_FILE=<file>.pem",
        ],
    ),
    (
        &[
            "failed to fetch",
            "networkerror when attempting",
            "load failed",
            "cors",
        ],
        "the browser blocked the response and does not say why",
        &[
            "Azure's model endpoints allow no calls from pages of other origins (CORS): call from a server, or through a \
             gateway that adds the CORS headers.",
            "Otherwise check the address and the network.",
        ],
    ),
    (
        &["internal error; reference"],
        "the platform reports an internal error and does not say why",
        &[
            "workerd reports this when a name cannot be resolved, for example: check the address, then the worker's log.",
        ],
    ),
    (
        &["econnrefused", "connection refused", "actively refused"],
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
            "properly respond after a period of time",
        ],
        "no response came in time",
        &[
            "Try again, with a longer timeout if the model is slow.",
            "If it lasts, look for a firewall that drops packets, or a proxy (HTTPS_PROXY) that is required.",
        ],
    ),
    (
        &[
            "fetch failed",
            "socket",
            "network",
            "connect",
            "unreach",
            "request failed",
            "error sending request",
            "sending the request",
            "max retries exceeded",
        ],
        "the network does not reach it",
        &["Check the address, this machine's network, and whether a proxy (HTTPS_PROXY) is required."],
    ),
];

/// Whether the message is that of a network error. Requests also fail for other reasons.
pub(super) fn is_known(answer: &Answer) -> bool {
    answer.message.is_empty()
        || REASONS
            .iter()
            .any(|(words, _, _)| words.iter().any(|word| answer.says(word)))
}

/// Explains why there was no response.
pub(super) fn explain(answer: &Answer, setup: &Setup<'_>) -> Finding {
    let host = setup.host();
    let reason = REASONS
        .iter()
        .find(|(words, _, _)| words.iter().any(|word| answer.says(word)));
    let by_proxy = reason.is_some_and(|(words, ..)| words.contains(&"tunnel"));
    let (cause, fixes) = match reason {
        Some((_, _, fixes)) if by_proxy => (of_proxy(answer, setup), *fixes),
        Some((_, why, fixes)) => (format!("{host} did not respond: {why}."), *fixes),
        None => (
            format!("{host} did not respond."),
            REASONS.last().map_or(&[][..], |(_, _, fixes)| *fixes),
        ),
    };
    Finding {
        code: DiagnosisCode::Network,
        cause,
        fixes: {
            let mut fixes: Vec<String> = fixes.iter().map(|fix| (*fix).to_owned()).collect();
            // Without words of a proxy the client may have used none.
            let place = if by_proxy { 0 } else { fixes.len() };
            if let Some(fix) = proxy_fix(by_proxy, setup) {
                fixes.insert(place, fix);
            }
            fixes
        },
    }
}

/// Says whose refusal it was: the proxy's, not Azure's. The words are those of the Copilot runtime,
/// of undici and of curl.
fn of_proxy(answer: &Answer, setup: &Setup<'_>) -> String {
    let proxy = setup.proxy().map_or("a proxy".to_owned(), |variable| {
        format!("the proxy in {variable}")
    });
    let why = if ["407", "authorization required", "authentication required"]
        .iter()
        .any(|words| answer.says(words))
    {
        "asks for a sign-in (HTTP 407)"
    } else if [
        "underlying connection",
        "refused",
        "timed out",
        "enotfound",
        "dns",
    ]
    .iter()
    .any(|words| answer.says(words))
    {
        "cannot be reached"
    } else {
        "does not let the request through"
    };
    format!("The request did not reach {}: {proxy} {why}.", setup.the_host())
}

/// Returns the fix for the proxy, if the request went through one.
fn proxy_fix(by_proxy: bool, setup: &Setup<'_>) -> Option<String> {
    let variable = setup.proxy();
    let host = setup.named_host().unwrap_or("<host>");
    match (variable, by_proxy) {
        (None, false) => None,
        (variable, _) => {
            let name = variable.unwrap_or("HTTPS_PROXY");
            // Not a command: the host may be a stranger's.
            Some(format!(
                "Check the proxy in {name}, and its user and password. If the host needs no proxy, bypass it: {}",
                bypass([host], &setup.failure.env)
            ))
        }
    }
}
