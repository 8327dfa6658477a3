//! Names the gateway, proxy or web server that responded in place of the resource.

use super::request_details::Setup;
use crate::answer::body::Answer;

/// Web servers, gateways and proxies, by a word of their page or of the headers `server` and `via`.
const SENDERS: [(&str, &str); 14] = [
    ("our services aren't available right now", "Azure Front Door"),
    ("azurefd", "Azure Front Door"),
    ("application-gateway", "Azure Application Gateway"),
    ("cloudflare", "Cloudflare"),
    ("zscaler", "Zscaler"),
    ("squid", "The proxy Squid"),
    ("blue coat", "The proxy Blue Coat"),
    ("netskope", "Netskope"),
    ("forcepoint", "Forcepoint"),
    ("fortiguard", "FortiGuard"),
    ("akamai", "Akamai"),
    ("envoy", "The proxy Envoy"),
    ("view this directory or page", "App Service authentication"),
    ("nginx", "The web server nginx"),
];

/// Returns the product that sent a web page in place of the resource.
pub(super) fn sender(answer: &Answer, setup: &Setup<'_>) -> Option<&'static str> {
    let headers = &setup.failure.headers;
    let named = [headers.text("server"), headers.text("via")]
        .map(|text| text.unwrap_or_default().to_ascii_lowercase());
    let known = SENDERS.iter().find(|(word, _)| {
        (answer.is_page() && answer.says(word)) || named.iter().any(|text| text.contains(word))
    });
    known.map(|(_, product)| *product)
}

pub(super) fn page(answer: &Answer, setup: &Setup<'_>) -> (String, Vec<String>) {
    let product = sender(answer, setup).unwrap_or("A gateway or a web server");
    (
        format!(
            "{product} answered with a web page in place of {}. The request did not reach the model.",
            setup.the_host()
        ),
        vec![
            "Check the host and the path of the endpoint:\ncopilot-keyless config".to_owned(),
            "Ask the operator of that gateway or proxy to let the request through, or use the resource's own endpoint.".to_owned(),
        ],
    )
}
