//! Classifies hosts: the table of Azure's domains, and detection of hosts that imitate them.

use super::text::{arm_id, is_placeholder_name, placeholder};
use super::{Cloud, FIND, Kind};
use crate::error::error_text;
use crate::text::{contains, split_once};
use crate::{Code, Error, Result};

/// The class of a host, before the path is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) kind: Kind,
    pub(super) cloud: Cloud,
    /// The resource's name, for hosts that have one.
    pub(super) resource: Option<String>,
    /// The host without `privatelink`, if it contained it.
    pub(super) rewritten: Option<String>,
}

/// The domains that serve models.
const DOMAINS: [(&str, Kind, Cloud); 12] = [
    ("openai.azure.com", Kind::AzureOpenai, Cloud::Public),
    ("services.ai.azure.com", Kind::FoundryAccount, Cloud::Public),
    ("cognitiveservices.azure.com", Kind::AiServices, Cloud::Public),
    ("openai.azure.us", Kind::AzureOpenai, Cloud::Usgov),
    ("services.ai.azure.us", Kind::FoundryAccount, Cloud::Usgov),
    ("cognitiveservices.azure.us", Kind::AiServices, Cloud::Usgov),
    ("openai.azure.cn", Kind::AzureOpenai, Cloud::China),
    ("cognitiveservices.azure.cn", Kind::AiServices, Cloud::China),
    ("azure-api.net", Kind::Gateway, Cloud::Public),
    ("azure-api.us", Kind::Gateway, Cloud::Usgov),
    ("azure-api.cn", Kind::Gateway, Cloud::China),
    ("api.openai.com", Kind::Openai, Cloud::Unknown),
];

/// Microsoft domains that serve no model to a Copilot provider.
const OTHER_DOMAINS: [(&str, Code); 23] = [
    ("api.cognitive.microsoft.com", Code::EndpointRegional),
    ("api.cognitive.microsoft.us", Code::EndpointRegional),
    ("api.cognitive.azure.us", Code::EndpointRegional),
    ("api.cognitive.azure.cn", Code::EndpointRegional),
    ("models.ai.azure.com", Code::EndpointServerless),
    ("inference.ai.azure.com", Code::EndpointServerless),
    ("inference.ml.azure.com", Code::EndpointAmlOnline),
    ("inference.ml.azure.us", Code::EndpointAmlOnline),
    ("api.azureml.ms", Code::EndpointAgent),
    ("management.azure.com", Code::EndpointArmId),
    ("management.usgovcloudapi.net", Code::EndpointArmId),
    ("management.chinacloudapi.cn", Code::EndpointArmId),
    ("portal.azure.com", Code::EndpointPortal),
    ("portal.azure.us", Code::EndpointPortal),
    ("portal.azure.cn", Code::EndpointPortal),
    ("oai.azure.com", Code::EndpointPortal),
    ("oai.azure.us", Code::EndpointPortal),
    ("ml.azure.com", Code::EndpointPortal),
    ("ml.azure.us", Code::EndpointPortal),
    ("developer.azure-api.net", Code::EndpointPortal),
    ("portal.azure-api.net", Code::EndpointPortal),
    ("ai.azure.com", Code::EndpointPortal),
    ("ai.azure.us", Code::EndpointPortal),
];

/// Portals that match exactly: their subdomains, such as `x.ai.azure.com`, are mistyped resources.
const EXACT_ONLY: [&str; 2] = ["ai.azure.com", "ai.azure.us"];

/// Classifies a validated host that is not loopback. `text` is the cleaned input, for ARM ids.
pub(super) fn classify(host: &str, text: &str) -> Result<Site> {
    if let Some((_, code)) = OTHER_DOMAINS.iter().find(|(domain, _)| {
        host == *domain || (!EXACT_ONLY.contains(domain) && prefix(host, domain).is_some())
    }) {
        return Err(other_domain(*code, host, text));
    }
    for (domain, kind, cloud) in DOMAINS {
        if host == domain {
            return match kind {
                Kind::Openai => Ok(Site {
                    kind,
                    cloud,
                    resource: None,
                    rewritten: None,
                }),
                _ => Err(missing_resource(
                    domain,
                    "The endpoint's host has no resource's name in front",
                )),
            };
        }
        let Some(name) = prefix(host, domain) else {
            continue;
        };
        if kind == Kind::Openai {
            break;
        }
        return resource(host, name, domain, kind, cloud);
    }
    if resembles_azure(host) {
        return Err(lookalike(host));
    }
    Ok(Site {
        kind: Kind::Custom,
        cloud: Cloud::Unknown,
        resource: None,
        rewritten: None,
    })
}

fn resource(host: &str, name: &str, domain: &str, kind: Kind, cloud: Cloud) -> Result<Site> {
    let (name, rewritten) = match name.strip_suffix(".privatelink") {
        Some(name) => (name, Some(format!("{name}.{domain}"))),
        None => (name, None),
    };
    if name == "privatelink" {
        return Err(missing_resource(
            domain,
            "The endpoint is a private link zone without a resource's name",
        ));
    }
    if name.starts_with("xn--") || contains(name, ".xn--") || name.ends_with(".privatelink") {
        return Err(lookalike(host));
    }
    if kind != Kind::Gateway {
        if name.as_bytes().contains(&b'.') {
            return Err(Error::new(
                Code::EndpointLookalike,
                error_text!("The endpoint's host is {host}, with more than one name in front of {domain}; a resource has one."),
            )
            .hint(FIND));
        }
        if name.len() < 2 {
            return Err(missing_resource(
                domain,
                "The endpoint's resource has a name of one character",
            ));
        }
    }
    if is_placeholder_name(name) {
        return Err(placeholder(&error_text!(
            "The endpoint's host still holds the placeholder \"{name}\""
        )));
    }
    let first = name.split('.').next().unwrap_or(name);
    Ok(Site {
        kind,
        cloud,
        resource: Some(first.to_owned()),
        rewritten,
    })
}

/// Whether the host is outside of Azure's domains but contains the name of one, exactly or with one
/// or two typos. Compares a non-ASCII host by the ASCII letters that it resembles.
///
/// `myapp.eastus.cloudapp.azure.com` (a customer's machine) and `azure.contoso.com` do not count.
pub(super) fn resembles_azure(host: &str) -> bool {
    let host: String = host
        .chars()
        .map(skeleton)
        .collect::<String>()
        .to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    let azure = ["azure.com", "azure.us", "azure.cn"];
    if azure
        .iter()
        .any(|domain| host == *domain || prefix(host, domain).is_some())
    {
        return !host.ends_with(".cloudapp.azure.com");
    }
    let dotted = host.replace('-', ".");
    if DOMAINS
        .iter()
        .any(|(domain, kind, _)| *kind != Kind::Openai && contains_domain(&dotted, domain))
    {
        return true;
    }
    if (host.starts_with("xn--") || contains(host, ".xn--"))
        && ["openai", "azure", "cognitiveservices", "services.ai"]
            .iter()
            .any(|word| contains(host, word))
    {
        return true;
    }
    DOMAINS
        .iter()
        .any(|(domain, kind, _)| *kind != Kind::Openai && is_misspelt(host, domain))
}

fn lookalike(host: &str) -> Error {
    Error::new(
        Code::EndpointLookalike,
        error_text!(
            "The endpoint's host is {host}, which resembles an Azure host and is none; expected \
             <your-resource>.openai.azure.com, .services.ai.azure.com or .cognitiveservices.azure.com."
        ),
    )
    .hint(error_text!(
        "Do not send a token there. Check the spelling. {FIND}"
    ))
}

/// The error for an Azure host in the path or query of another host.
pub(super) fn azure_elsewhere(host: &str) -> Error {
    Error::new(
        Code::EndpointLookalike,
        error_text!("The endpoint names an Azure host in its path or query, but its real host is {host}."),
    )
    .hint(error_text!(
        "Do not send a token there. Give the Azure host alone. {FIND}"
    ))
}

/// Whether a path or query contains the name of an Azure domain.
pub(super) fn names_azure_domain(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    DOMAINS
        .iter()
        .any(|(domain, kind, _)| !matches!(kind, Kind::Openai | Kind::Gateway) && contains(&text, domain))
}

fn prefix<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    host.strip_suffix(domain)?
        .strip_suffix('.')
        .filter(|name| !name.is_empty())
}

/// Whether the host contains the domain, with hyphens read as dots, up to the end of a label:
/// `openai-azure.com` and `openai.azure.com.example` do, `openai.azure.company.example` does not.
fn contains_domain(dotted: &str, domain: &str) -> bool {
    let domain = domain.replace('-', ".");
    let mut rest = dotted;
    while let Some((_, behind)) = split_once(rest, &domain) {
        if behind.is_empty() || behind.starts_with('.') {
            return true;
        }
        rest = behind;
    }
    false
}

/// Whether the end of the host is the domain with one or two wrong letters, or with another
/// top-level domain.
fn is_misspelt(host: &str, domain: &str) -> bool {
    let Some((body, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let allowed = if body.len() < 12 { 1 } else { 2 };
    let labels = domain.matches('.').count() + 1;
    // A missing or extra dot makes one label fewer or more.
    for count in labels - 1..=labels + 1 {
        let Some(tail) = last_labels(host, count) else {
            continue;
        };
        // A host that was copied incompletely lacks the top-level domain.
        if tail == body || (count >= 2 && distance(tail, domain) <= allowed) {
            return true;
        }
        let Some((tail_body, tail_top)) = tail.rsplit_once('.') else {
            continue;
        };
        if (tail_top != top || tail_body != body) && distance(tail_body, body) <= allowed {
            return true;
        }
    }
    false
}

/// Returns the last `count` labels of a host, or `None` if it has fewer.
fn last_labels(host: &str, count: usize) -> Option<&str> {
    let skipped = (host.matches('.').count() + 1).checked_sub(count)?;
    host.splitn(skipped + 1, '.').nth(skipped)
}

/// Counts the letters to insert, delete or replace (Levenshtein distance).
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, y) in cells.zip(b.bytes()) {
            let above = *cell;
            let cost = usize::from(x != y);
            left = (diagonal + cost).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Returns the ASCII letter that a character resembles, or `?`. Up to two characters that are
/// missing in this list still count as typos.
fn skeleton(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or('?'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        'а' | 'Α' | 'А' | 'α' | 'ɑ' => 'a',
        'с' | 'С' | 'ϲ' => 'c',
        'е' | 'Е' | 'Ε' | 'ε' => 'e',
        'і' | 'І' | 'ι' | 'ı' => 'i',
        'о' | 'О' | 'Ο' | 'ο' | 'օ' => 'o',
        'р' | 'Р' | 'Ρ' | 'ρ' => 'p',
        'ѕ' => 's',
        'υ' | 'ս' => 'u',
        'ѵ' | 'ν' => 'v',
        'ո' => 'n',
        'г' => 'r',
        _ => '?',
    }
}

fn missing_resource(domain: &str, what: &str) -> Error {
    Error::new(
        Code::EndpointMissingResource,
        error_text!("{what}; expected https://<your-resource>.{domain}, with a name of 2 to 63 characters."),
    )
    .hint(FIND)
}

const DEPLOY: &str = "Deploy the model in a Foundry resource (ai.azure.com > your project > Models + endpoints) and use that \
    resource's endpoint.";

fn other_domain(code: Code, host: &str, text: &str) -> Error {
    let (what, hint) = match code {
        Code::EndpointRegional => (
            "a regional endpoint, which takes keys and no Entra token; expected the resource's custom subdomain, \
             https://<your-resource>.cognitiveservices.azure.com or .openai.azure.com",
            "Give the resource a custom subdomain: az cognitiveservices account update --name <name> --resource-group \
             <group> --custom-domain <name>; then use the address that its Keys and Endpoint page shows.",
        ),
        Code::EndpointServerless => (
            "a serverless model endpoint, which is no Foundry resource; expected \
             https://<your-resource>.services.ai.azure.com",
            DEPLOY,
        ),
        Code::EndpointAmlOnline => (
            "an Azure Machine Learning online endpoint; expected https://<your-resource>.services.ai.azure.com or \
             .openai.azure.com",
            DEPLOY,
        ),
        Code::EndpointAgent => (
            "the agent service of a hub-based project; expected a model endpoint, such as \
             https://<your-resource>.services.ai.azure.com",
            FIND,
        ),
        Code::EndpointArmId => return arm_id(text),
        _ => (
            "a page of a portal, not an endpoint; expected https://<your-resource>.openai.azure.com or \
             .services.ai.azure.com",
            "Copy the endpoint that the page shows: in the Azure portal under Keys and Endpoint, in the Foundry portal \
             on the project's overview.",
        ),
    };
    Error::new(code, error_text!("The endpoint's host is {host}, {what}.")).hint(hint)
}
