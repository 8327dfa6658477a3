//! Explains failures of hosts, networks and settings.

use super::federated::ISSUER_KEYS;
use super::{Case, Explanation, ON_A_DEVELOPER_MACHINE};
use crate::diagnosis::credential::code::CredentialDiagnosisCode as Code;
use crate::diagnosis::credential::tool::Tool;
use crate::environment::{Variable, bypass, proxy_variable};

pub(super) fn no_credential(case: &Case<'_>) -> Explanation {
    let lacks = |credential: &str| {
        case.links
            .iter()
            .find(|link| link.credential == Some(credential))
            .map(|link| link.code)
    };
    let mut why = Vec::new();
    if lacks("EnvironmentCredential").is_some() {
        why.push("the variables of a service principal are not set".to_owned());
    }
    if lacks("ManagedIdentityCredential").is_some() {
        why.push("no managed identity is available (its endpoint gave no token)".to_owned());
    }
    let (missing, signed_out): (Vec<_>, Vec<_>) = case
        .links
        .iter()
        .filter_map(|link| Some((Tool::of(link.credential?)?, link.code)))
        .partition(|(_, code)| *code == Code::ToolNotInstalled);
    for (tools, what) in [
        (missing, "not installed or not on the PATH"),
        (signed_out, "not signed in"),
    ] {
        let names: Vec<&str> = tools.iter().map(|(tool, _)| tool.name()).collect();
        if !names.is_empty() {
            why.push(format!("{what}: {}", names.join(", ")));
        }
    }
    let mut fixes = vec![match lacks("AzureCliCredential") {
        Some(Code::ToolNotInstalled) => Tool::AzureCli.install().to_owned(),
        _ => ON_A_DEVELOPER_MACHINE.to_owned(),
    }];
    if lacks("AzureCliCredential") == Some(Code::ToolNotInstalled) {
        fixes.push(
            "If the Azure CLI is installed, start this program from a terminal, or add the \
                 tool's folder to its PATH."
                .to_owned(),
        );
    }
    fixes.push(
        "In Azure (App Service, Functions, Container Apps, VM, AKS), assign a managed \
                 identity to the host; for a user-assigned one also set AZURE_CLIENT_ID. On AKS, \
                 label the pod for workload identity."
            .to_owned(),
    );
    fixes.push(
        "Elsewhere, give a service principal: set AZURE_TENANT_ID, AZURE_CLIENT_ID and \
                 AZURE_CLIENT_SECRET."
            .to_owned(),
    );
    let why = if why.is_empty() {
        "each is unavailable".to_owned()
    } else {
        why.join("; ")
    };
    (
        format!(
            "None of the {} credentials that were tried is set up here ({why}).",
            case.links.len()
        ),
        fixes,
    )
}

pub(super) fn clock_skew(_: &Case<'_>) -> Explanation {
    (
        "The clock or the time zone of this machine is wrong, so a fresh token seems \
                 expired or not yet valid."
            .to_owned(),
        vec![
            "Set the clock, and keep it synchronized:\ndate -u\nsudo timedatectl set-ntp true".to_owned(),
            "In WSL, a virtual machine or a container, restart it after the computer slept.".to_owned(),
        ],
    )
}

/// Local identity endpoints, which no proxy can reach: IMDS, and those of App Service and its kin.
const LOCAL: [&str; 3] = ["169.254.169.254", "localhost", "127.0.0.1"];

pub(super) fn proxy(case: &Case<'_>) -> Explanation {
    // The words of this library. Only the address of a local endpoint may become part of a command.
    let host = case
        .text
        .split_once("the proxy for ")
        .and_then(|(_, rest)| rest.split([' ', ':', ',']).next())
        .filter(|host| host.starts_with("169.254.") && host.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        .unwrap_or("login.microsoftonline.com");
    let name = proxy_variable(host, case.env).map_or("HTTPS_PROXY", Variable::as_str);
    let why = if case.says("407") {
        "The proxy in {name} asks for a sign-in (HTTP 407), so the request did not reach the identity endpoint."
    } else if case.says("no connection to the proxy") {
        "The proxy in {name} cannot be reached, so the request did not reach the identity endpoint."
    } else if case.says("no answer from the proxy") {
        "The proxy in {name} does not answer, so the request did not reach the identity endpoint."
    } else if case.says("from the proxy for") {
        "The proxy in {name} answered in place of the identity endpoint: it refused the request, not Azure."
    } else {
        "A proxy or gateway answered in place of the identity endpoint, or the connection through it failed ({name})."
    };
    (
        why.replace("{name}", name),
        vec![
            format!(
                "Check the proxy in {name}, its user and password; let {host} pass, without a sign-in page."
            ),
            format!(
                "Or bypass it, as identity endpoints of this host must:\nexport {}",
                bypass(LOCAL.into_iter().chain([host]), case.env)
            ),
        ],
    )
}

pub(super) fn tls(_: &Case<'_>) -> Explanation {
    (
        "The TLS connection to the identity endpoint failed: usually a proxy of the \
                 organisation inspects TLS, and its root certificate is not trusted here."
            .to_owned(),
        vec![
            "Trust the organisation's root certificate: NODE_EXTRA_CA_CERTS (Node), \
                 REQUESTS_CA_BUNDLE or SSL_CERT_FILE (Python, Azure CLI), the system's or Java's \
                 store elsewhere:\nexport NODE_EXTRA_CA_CERTS=<file>.pem\nexport \
                 REQUESTS_CA_BUNDLE=<file>.pem"
                .to_owned(),
            "Or use the system's store: NODE_OPTIONS=--use-system-ca (Node 22.15 or later).".to_owned(),
            "Or have login.microsoftonline.com excluded from the inspection by the proxy. Do \
                 not turn verification off."
                .to_owned(),
            "Check the clock of this machine, by which certificates may seem expired.".to_owned(),
        ],
    )
}

pub(super) fn dns(_: &Case<'_>) -> Explanation {
    (
        "The host name of the identity endpoint cannot be resolved (DNS).".to_owned(),
        vec![
            "Check the network, the DNS server and the spelling of \
                 AZURE_AUTHORITY_HOST:\nnslookup login.microsoftonline.com"
                .to_owned(),
            "If the network reaches the internet through a proxy only, set HTTPS_PROXY.".to_owned(),
            "In a container or cluster, check its DNS settings and egress rules.".to_owned(),
        ],
    )
}

pub(super) fn timeout(_: &Case<'_>) -> Explanation {
    (
        "The identity endpoint did not answer in time.".to_owned(),
        vec![
            "Try again. If it lasts, look for a firewall that drops packets to \
                 login.microsoftonline.com, and for a proxy (HTTPS_PROXY) that must be used."
                .to_owned(),
            "Outside Azure there is no managed identity to wait for: set \
                 AZURE_TOKEN_CREDENTIALS=dev and run az login."
                .to_owned(),
        ],
    )
}

pub(super) fn network(case: &Case<'_>) -> Explanation {
    (
        "The identity endpoint cannot be reached: the connection was refused or lost.".to_owned(),
        vec![
            "Check the network, firewall and proxy (HTTPS_PROXY) between this machine and \
                 login.microsoftonline.com."
                .to_owned(),
            if case.managed {
                "In Azure, check that a managed identity is assigned, and restart the app.".to_owned()
            } else {
                "In Azure, check that a managed identity is assigned. Elsewhere use the developer \
                 tools:\naz login\nexport AZURE_TOKEN_CREDENTIALS=dev"
                    .to_owned()
            },
        ],
    )
}

pub(super) fn throttled(_: &Case<'_>) -> Explanation {
    (
        "The identity endpoint throttles requests: too many in a short time.".to_owned(),
        vec![
            "Wait as long as Retry-After says, then try again.".to_owned(),
            "Share one credential and one token provider in the process, so that tokens are \
                 cached; do not create a credential for each request."
                .to_owned(),
        ],
    )
}

pub(super) fn server_error(case: &Case<'_>) -> Explanation {
    let mut fixes = vec![
        "Try again later. If it lasts, look at https://azure.status.microsoft, and at the \
                 identity service of the host."
            .to_owned(),
    ];
    if case.says("external oidc") {
        fixes.push(ISSUER_KEYS.to_owned());
    }
    (
        "The identity endpoint failed; this is usually temporary.".to_owned(),
        fixes,
    )
}

pub(super) fn configuration(case: &Case<'_>) -> Explanation {
    let missing = [
        "azure_tenant_id",
        "azure_client_id",
        "azure_client_secret",
        "azure_federated_token_file",
        "azure_client_certificate_path",
        "azure_username",
        "azure_password",
        "azure_token_credentials",
        "azure_authority_host",
    ]
    .into_iter()
    .filter(|name| case.says(name))
    .map(str::to_ascii_uppercase)
    .collect::<Vec<_>>()
    .join(", ");
    let reason = if case.has(7_000_218) {
        "The request has neither a client secret nor an assertion, although the \
                 application is a confidential client."
            .to_owned()
    } else if case.says("connectedmachineagent") || case.says("azcmagent/tokens") {
        "The key file of the Azure Arc agent cannot be read: the user who runs this program must be in \
                 the group himds (Windows: Hybrid agent extension applications)."
            .to_owned()
    } else if case.has(50011) || case.has(500_113) || case.has(900_971) {
        "The application has no redirect URI (reply address) that fits the sign-in: register it there."
            .to_owned()
    } else if case.has(700_025) {
        "The application is a public client, and the request has a secret or an \
                 assertion."
            .to_owned()
    } else if !missing.is_empty() {
        format!("The credential's settings are incomplete or wrong; the error names {missing}.")
    } else if case.has(900_144) {
        "The token request lacks a parameter that Entra needs, such as client_id or \
                 scope: a setting is missing or empty."
            .to_owned()
    } else {
        "The settings of the credential are incomplete or wrong.".to_owned()
    };
    (
        reason,
        vec![
            "For a service principal set all of AZURE_TENANT_ID, AZURE_CLIENT_ID and \
                 AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH), without quotes, white \
                 space or placeholders; for workload identity AZURE_FEDERATED_TOKEN_FILE instead \
                 of the secret."
                .to_owned(),
            "See which credential the environment selects, and what is missing:\nnpx \
                 copilot-keyless config"
                .to_owned(),
            ON_A_DEVELOPER_MACHINE.to_owned(),
        ],
    )
}

pub(super) fn library_fault(case: &Case<'_>) -> Explanation {
    let broker = ["broker", "accounts control", "window handle"]
        .iter()
        .any(|words| case.says(words));
    (
        "The library that asks for the token failed by itself: the cause is in its code \
                 or its installation, not in the identity's settings."
            .to_owned(),
        vec![
            "Update the Azure Identity and MSAL packages (npm update @azure/identity, pip \
                 install --upgrade azure-identity msal), and look for the message among their \
                 issues."
                .to_owned(),
            "To get on, use another credential: createDirectCredential of \
                 copilot-keyless/direct asks the same identity without the library."
                .to_owned(),
            if broker {
                "Sign in without the account manager of Windows:\naz config set \
                 core.enable_broker_on_windows=false\nUpdate-AzConfig -EnableLoginByWam $false"
                    .to_owned()
            } else {
                format!("For a developer's machine:\n{}", Tool::AzureCli.check())
            },
        ],
    )
}

pub(super) fn unknown(case: &Case<'_>) -> Explanation {
    let (reason, look_up) = match case.numbers.first() {
        Some(number) => (
            format!("Entra refused the request with AADSTS{number}, which is not known here."),
            format!(
                "Look up what the number means: \
                 https://login.microsoftonline.com/error?code={number}"
            ),
        ),
        None => (
            "The error matches no known cause.".to_owned(),
            "Ask the library for details (AZURE_LOG_LEVEL=verbose), and diagnose its log.".to_owned(),
        ),
    };
    (
        reason,
        vec![
            look_up,
            "Check the whole setup step by step:\nnpx copilot-keyless doctor".to_owned(),
        ],
    )
}
