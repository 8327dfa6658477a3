//! Recognizes failures by phrases of the credential libraries, command-line tools, identity
//! endpoints and networks.
//!
//! The phrases are those of Azure Identity and MSAL (JavaScript, Python, .NET, Go, Java, Rust), of
//! the Azure CLI, azd and Azure PowerShell, and of runtimes. `tests/tables/credential-failures.json`
//! has reports with them.

use super::code::CredentialDiagnosisCode as Code;
use super::text::contains;

/// Phrases by code, in the order of their precedence: the specific before the general. All in lower
/// case, with single spaces; `*` stands for any text in between.
const PHRASES: [(Code, &str); 58] = [
    // An argument of ours, which may be named like what Entra refuses.
    (
        Code::Configuration,
        "cannot be empty|must not be empty|expected one argument|expected start of certificate|\
         unsupported federated token provider",
    ),
    // What Entra says, for responses without a number.
    (
        Code::FederatedSubject,
        "no matching federated identity record*subject",
    ),
    (
        Code::FederatedMismatch,
        "no matching federated identity record|federated identity credential*does not match",
    ),
    (
        Code::FederatedNone,
        "no configured federated identity|no federated identity credential",
    ),
    (
        Code::AssertionExpired,
        "assertion is not within its valid time range|assertion*has expired|id_token*expired|\
         oidc token*expired",
    ),
    (
        Code::SecretExpired,
        "client secret*expired|secret keys*expired|secret has expired|secret is expired|\
         certificate has expired*client|expired client secret|expired secret|keys are expired|\
         service principal used is valid and not expired",
    ),
    (
        Code::CertificateNotRegistered,
        "certificate*not registered on application|the key was not found*thumbprint|\
         client assertion contains an invalid signature|client assertion failed signature|\
         subject name*not authorized|thumbprint*not authorized|thumbprint*not found",
    ),
    (
        Code::WrongSecret,
        "invalid client secret|client secret is invalid|wrong client secret|incorrect client secret|\
         secret*does not match the expected value|invalid_client*secret|client_secret*invalid|\
         client secret*not valid",
    ),
    (
        Code::AssertionInvalid,
        "client assertion*malformed|assertion audience|invalid client assertion|assertion*signature|\
         invalid jwt|assertion is invalid",
    ),
    (
        Code::ClockSkew,
        "computer's time|clock is|clock skew|system clock|time zone are both correct|\
         check your system time|id token already expires|token is not yet valid|local time*incorrect|\
         clock*synchron",
    ),
    // What a managed identity's endpoint says.
    (
        Code::SeveralIdentities,
        "client_id parameter or azure_client_id environment variable must be set|\
         multiple user assigned identities|multiple user-assigned|\
         multiple user assigned managed identities|multiple managed identities|more than one user assigned|\
         more than one user-assigned|multiple identities|please specify the clientid|\
         multiple matching identities",
    ),
    (
        Code::IdentityNotAssigned,
        "imds endpoint. invalid_request|managedidentitycredential*status: 400|\
         managedidentitycredential*400 bad request|msi/token*400 bad request|no user assigned|\
         no user-assigned|identity not found|identity has not been assigned|identity is not assigned|\
         not assigned to this resource|not been assigned to this|no default identity is assigned|\
         no identity has been assigned|no managed identity found for|not found for*given client|\
         no available identity|verify your objectid, clientid|no msi found for|no azure identity found for|\
         no azureassignedidentity|getting assigned identities for pod|\
         unable to load the proper managed identity|unable to load requested managed identity|\
         no assigned managed identity|no managed identity assigned|no managed identity was found|\
         no managed service identity|managed identity is not found|managed identity was not found|\
         managed identity*not enabled|no system assigned|no system-assigned|failed to get managed identity|\
         msi not found|identity is not associated|identity*does not have*assigned|no identity assigned|\
         cannot find a managed identity|could not find*managed identity|\
         connection to imds endpoint cannot be established. |specifying a*not supported|\
         user assigned identity is*not supported|nmi response*403|nmi response*404|400 for url: http://169",
    ),
    (
        Code::WrongScope,
        "not a supported msi token audience|audiencenotsupported|resource principal named*not found|\
         invalid_resource|bad_resource_id|service principal for resource*disabled|invalid resource uri|\
         invalid_target|unsupported resource",
    ),
    // The files and requests that lead to a federated token.
    (
        Code::AssertionMissing,
        "azure-identity-token*no such file|no such file*azure-identity-token|invalid file path provided|\
         no content on the file|federatedtokenfilepath is a required|no token file specified|\
         azure_federated_token_file*not|federated token file|token file*not found|token file*no such file|\
         actions_id_token_request|id-token: write|id-token permission|unable to get oidc token|\
         null token from oidc|system.oidcrequesturi|system_oidcrequesturi|oidc token*not|\
         failed to get id token|could not read*token file|serviceaccount/token*no such file|\
         no such file*serviceaccount|permissions to id-token|githubassertion|system_accesstoken|\
         oidctoken field|failed to fetch federated",
    ),
    // The developer tools.
    (
        Code::ToolTimeout,
        "failed to invoke the azure|failed to invoke powershell|signal: killed|cli*took longer|\
         process took longer|failed to get access token in|azure cli*timed out|azure cli*timeout|\
         powershell*timed out|powershell*timeout|developer cli*timed out|azd*timed out|\
         azureclicredential*timed out|'az*timed out|get-access-token*timed out|az account*timeout|\
         timed out waiting for azure|etimedout*az account|process timed out|sigterm*az|az.cmd*timed out|\
         waiting for authentication provider",
    ),
    (
        Code::ToolFailed,
        "parameter cannot be found|namedparameternotfound|no access token found in the output|\
         unexpected output from azure|output of powershell|decryption failed: [winerror|persistencedecryptionerror|permission denied*/.azure|permission denied*\\.azure|\
         read-only file system*/.azure|unrecognized arguments",
    ),
    (
        Code::ToolNotInstalled,
        "'az' not found|'azd' not found|az not found|azure cli not found|azure cli*not installed|\
         azure cli could not be found|azure cli was not found|developer cli could not be found|\
         developer cli not found|developer cli*not installed|azd not found|azd is not installed|\
         powershell*not installed|powershell is not available|powershell not found|\
         unable to execute powershell|az.account*not installed|az.accounts*was not loaded|\
         'az' is not recognized|'azd' is not recognized|\"az\" is not recognized|az is not installed|\
         install the azure cli|install azure cli|install az cli|az: command not found|\
         azd: command not found|az: not found|azd: not found|az: inaccessible|spawn az enoent|\
         spawn azd enoent|spawn pwsh enoent|spawn powershell|command not found: az|\
         no such file or directory: 'az|cannot run program \"az|exec: \"az|winerror 2|\
         'get-azaccesstoken' is not recognized|connect-azaccount' is not recognized|identity-vscode|\
         identity-broker|azure cli executable not found|program not found|az cli not|az command not found",
    ),
    // Entra again: who signs in.
    (
        Code::ClaimsChallenge,
        "claims challenge|claims-challenge|claimschallenge|tokenissuedbeforerevocation|tokencreatedwithout|\
         insufficient_claims|insufficient claims|interactionrequired*claims|continuous access evaluation",
    ),
    (
        Code::MfaRequired,
        "multi-factor|multifactor|strong authentication|two-factor|second factor|mfa is required|\
         mfa required|requires mfa|use mfa",
    ),
    (
        Code::ConditionalAccess,
        "conditional access|conditionalaccess|device requesting access to be managed|\
         not meet the criteria to access|device*compliant|security defaults|access has been blocked|\
         device*managed to access",
    ),
    (
        Code::ConsentMissing,
        "declined to consent|access_denied|consent_required|not consented|admin consent|\
         administrator consent|admin approval|preauthorization|preauthorized|needs permission to access",
    ),
    (
        Code::ApplicationNotFound,
        "application with identifier*not found|application*was not found in the directory|\
         application*not found in tenant|client application*missing service principal|\
         unauthorized_client*not found|missing service principal in the tenant|\
         service principal*not found in tenant|application id*not found",
    ),
    (
        Code::ApplicationDisabled,
        "application*is disabled\
         |unauthorizedclientapplicationdisabled",
    ),
    (
        Code::UserDisabled,
        "account is disabled|user*is disabled|account*is locked|account has been locked|\
         user account*blocked|account has been disabled",
    ),
    (
        Code::PasswordExpired,
        "password is expired|password has expired|password expired",
    ),
    (
        Code::WrongPassword,
        "invalid username or password|incorrect username or password|wrong password|\
         invalid user name or password|federated service at*id3242",
    ),
    (
        Code::WrongTenant,
        "not configured to acquire tokens for|tenant*does not exist|tenant*not found|invalid tenant|\
         tenant*is invalid|invalidauthenticationtokentenant|wrong issuer|issuer*must match|\
         does not exist in tenant|correct tenant id|additionallyallowedtenants|\
         additionally_allowed_tenants|no tenant-identifying|multitenant|multi-tenant|different tenant|\
         another tenant|wrong tenant|tenant mismatch|token tenant",
    ),
    (
        Code::SignInExpired,
        "refresh token*expired|refresh_token*expired|refreshtoken*expired|refresh token*invalid|\
         refresh token*revoked|session*expired|sign-in*expired|grant has expired|credentials*expired|\
         login expired|login has expired|reauthentication required|re-authenticate|reauthenticate|\
         interactive authentication is needed|interactive authentication is required|interactionrequired|\
         status_interaction|interaction_required|interaction required|invalid_grant|token_expired|\
         login_required|silent authentication failed|fresh auth token|secret material",
    ),
    (
        Code::Throttled,
        "too many requests|throttl|rate limit|rate-limit|429 too|(429)|code=429\
         |status 429|status code 429|status: 429|statuscode: 429|http 429",
    ),
    (Code::WrongCloud, "login.microsoftonline.de|cloudapi.de"),
    // Networks, before the phrases that occur in their advice.
    (
        Code::Proxy,
        "the proxy for |proxyerror|proxy error|failed due to a gateway error|proxy authentication|\
         proxyconnect|cannot connect to proxy|unable to connect to proxy|tunneling socket|\
         tunnel connection failed|connect tunnel failed|code 407|407 proxy|(407)|via proxy|proxy*refused|\
         err_proxy|err_tunnel|unsuccessful tunnel|tunnel error|zscaler|bluecoat|blue coat|forcepoint|\
         netskope|squid|mwg-internal\
         |status 407|http 407",
    ),
    (
        Code::Tls,
        "certificate_verify_failed|certificate verify failed|self signed certificate|\
         self-signed certificate|self_signed_cert|unable_to_verify|unable to get local issuer|\
         unable_to_get_issuer|unable to verify the first certificate|x509:|pkix path|sslhandshake|\
         ssl handshake|tls handshake e|tls handshake f|handshake failure|handshake_failure|ssl: |sslerror|\
         ssl error|ssl routines|remote certificate is invalid|invalid peer certificate|unknownissuer|\
         untrusted root|certificate*not trusted|schannel|cert_has_expired|err_tls|err_ssl|bad certificate|\
         certificate chain|depth_zero|certificate is not yet valid|certificate has expired|\
         trust relationship for the ssl|invalid certificate: |trusted by the trust provider|ssl ca cert|\
         ssl connect|ssl peer",
    ),
    (
        Code::Proxy,
        "received html|<html|<!doctype html|<head>|text/html|expecting value: line 1|\
         expected value at line*column 1|error(\"expected value\"*column: 1|unexpected token <|\
         unexpected token '<'|invalid character '<'|<title",
    ),
    (
        Code::ImdsUnreachable,
        "169.254.169.254*unreachable|169.254.169.254*timed out|169.254.169.254*refused|\
         169.254.169.254*failed|unreachable*169.254.169.254|imds endpoint*unavailable|\
         imds endpoint cannot be established|response from the imds|imds*timed out|imds*timeout|\
         imds*unreachable|metadata service*unreachable|metadata service*not|metadata server*not|\
         imds*not available|imds*connect|imds*no response|unable to connect to imds|\
         no response*from the managed identity|managed identity endpoint*not respond|\
         managed identity timed out|managed identity credential timed out|\
         managed identity endpoint*unreachable|managedidentitycredential: network unreachable|\
         attempted to use the imds|attempted to an unreachable|http://169.254.169.254\
         |169.254.169.254*timeout|169.254.169.254*no route|169.254.169.254*deadline|\
         169.254.169.254*unavailable|169.254.169.254*reset|169.254.169.254*host is down",
    ),
    (
        Code::NoManagedIdentity,
        "failed to connect to msi|token from the managed identity endpoint|no mmds token|\
         token using managed|managed identity endpoint*not currently available|\
         no managed identity endpoint|managed identity environment|managed identity*unavailable|\
         managed identity*is not available|managed identity*not supported|msi_endpoint|msi endpoint|\
         managedidentitycredential*unavailable|managed identity authentication is not|identity_endpoint\
         |using managed service identity|using managed identity. access token could not|\
         managed identity endpoint*not available",
    ),
    (
        Code::Dns,
        "enotfound|eai_again|getaddrinfo|name or service not known|no such host|nodename nor servname|\
         name resolution|nameresolutionerror|could not resolve host|could not resolve '|\
         could not resolve \"|could not resolve proxy|could not resolve dns|unknownhost|dns error|\
         dns lookup|failed to lookup address|failed to resolve '|failed to resolve \"|\
         failed to resolve host|host is known|temporary failure in name|err_name_not_resolved|\
         server misbehaving|nxdomain|remote name could not be resolved|no address associated|\
         lookup*i/o timeout|name does not resolve|resource temporarily unavailable (login",
    ),
    (
        Code::Proxy,
        "unexpected content type|is not valid json|proxy server|http_proxy|https_proxy|corporate proxy|\
         behind a proxy|web proxy",
    ),
    (
        Code::LibraryFault,
        "valueerror: invalid literal|attributeerror: |keyerror: |json.exception|nullreferenceexception|\
         object reference not set|is not a function|has no attribute|type must be number|\
         does not support http method|unexpected keyword argument|metadata header|unsupportedapiversion|\
         api-version is invalid|broker_error|accounts control to|window handle must",
    ),
    (Code::WrongTenant, "unable to get authority configuration"),
    (
        Code::Configuration,
        "only one of subscription and tenant|client_id should be the id|valid values are 'prod' or 'dev'|\
         azure_token_credentials|must use the 'https' protocol|certificate*not*pem|pem-encoded|\
         a pem certificate|pem routines|authority url must|authority*must be|authority*invalid|\
         provide one of clientsecret|is a required parameter|are required parameters|\
         must contain the following parameter|client_assertion' or 'client_secret'|only one of 'clientid'|\
         null client id|client id*is required|clientid cannot be|tenant_id*required|invalid client_id|\
         environment credential*incomplete|not all values are present|ensure 'client-id'|\
         no service connection found|missing environment variable|required environment variable|\
         private key*not|invalid pfx|mac verify failure|keyset does not exist|unable to load certificate|\
         azure_client_certificate_path|incomplete environment variable|could not read certificate|\
         certificate password|pem file|no certificate|only supported as a user|azureconnectedmachineagent|\
         azcmagent/tokens",
    ),
    (
        Code::WrongScope,
        "invalid_scope|invalid scope|scope*not valid|scope*must be|multiple scopes|invalid resource|\
         scopes*invalid|resource*does not exist|not a valid resource|more than one resource|\
         scope is invalid|scope*malformed",
    ),
    (
        Code::WrongCloud,
        "cross cloud|cross-cloud|national cloud|sovereign cloud|invalid_instance|\
         unknown or invalid instance|wrong cloud|cloud instance\
         |usgclient",
    ),
    // Nobody is signed in.
    (
        Code::NotSignedIn,
        "az login|azd auth login|azd login|run*connect-azaccount|login-azaccount|not logged in|\
         not signed in|please sign in|please log in|sign in to azure|log in to azure|not logged-in|\
         login hint was passed|msaluirequired|account picker|no accounts in the cache|msal cache|\
         no credentials found|no user is signed|cannot retrieve access token for resource|\
         needs re-authentication|authenticate via azure tools|via azure account|no subscription found|\
         no subscriptions found|az account set|no accounts were found|no accounts found|no cached accounts|\
         no account found|stored credentials not found|credentials not found in|\
         user details from visual studio code|authentication has been disabled|\
         does not exist in msal token cache|token cache*empty|shared token cache unavailable|\
         authenticationrequired|authentication record|vs code credentials|\
         visual studio code authentication is not available|intellij authentication not available|\
         visual studio token provider|account has not been set up|user is not logged|you must log in|\
         must sign in|must be logged in|login required|log in again|sign in again|no azure account|\
         not authenticated|accounts were found in the cache|account was found|profile file*not|\
         azureprofile|web account manager|code_expired|code expired|cli to authenticate|known by azure cli|\
         authentication_canceled|token associated with visual studio|token for the required audience\
         |using connect-azaccount|call connect-azaccount|use connect-azaccount",
    ),
    (
        Code::Configuration,
        "no underlying credential could be used|not fully configured|no client id|no tenant id|\
         environment variable*not set|environment variable*missing|is not set|must be set|\
         environmentcredential is unavailable|environmentcredential authentication unavailable|\
         workloadidentitycredential authentication unavailable|workloadidentitycredential: is unavailable",
    ),
    (
        Code::LibraryFault,
        "cannot read propert|undefined is not|attributeerror|typeerror|keyerror|valueerror|\
         not in the expected format|cannot be parsed|could not be parsed|failed to parse|\
         unexpected response|unable to parse|missing field `|invalid type: *expected|\
         error decoding response body|eof while parsing|parseerror|method not found|nosuchmethoderror|\
         noclassdeffounderror|classnotfoundexception|could not load file or assembly|modulenotfounderror|\
         no module named|importerror|cannot find module|missingmethodexception|typeloadexception|\
         nil pointer|segmentation fault|illegalargumentexception|illegalstateexception|\
         persistence check failed|libsecret|d-bus|dpapi|keyring|dllnotfoundexception|dynamic library|\
         unsupported platform|jsondecodeerror|jsonexception|jsonmapping|unmarshal|not valid json|\
         invalid access token expiry|could not load lib\
         |indexerror|nosuchfielderror|methodnotfound|invalidcastexception|argumentnullexception|\
         deadlock|infinity",
    ),
    (
        Code::Timeout,
        "timed out|timeout|etimedout|connecttimeout|readtimeout|sockettimeout|did not properly respond|\
         deadline exceeded|deadline has elapsed|operation was canceled|task was canceled",
    ),
    (
        Code::ServerError,
        "error occured while fetching the aad token|temporarily_unavailable|temporarily unavailable|\
         service unavailable|serviceunavailable|internal server error|internalservererror|bad gateway|\
         server_error|service is unavailable|server unavailable|upstream connect error|unknown_error\
         |gateway timeout|status 500|status 502|status 503|status code 500|status code 502|\
         status code 503|http 500|http 503",
    ),
    (
        Code::Network,
        "econnrefused|econnreset|ehostunreach|enetunreach|epipe|connection refused|connection reset|\
         connection aborted|connection was closed|unreachable|no route to host|fetch failed|\
         failed to fetch|network_error|network error|socket hang up|request_send_error|\
         max retries exceeded|endpoints_resolution_error|openid_config_error|endpoints cannot be resolved|\
         connecterror|connection error|error sending request|clientconnectorerror|newconnectionerror|\
         remotedisconnected|und_err|connect failed|unexpected eof|ended prematurely|\
         an error occurred while sending the request|http request failed|forcibly closed|actively refused|\
         ::nonetwork",
    ),
    (
        Code::AssertionMissing,
        "no such file or directory|filenotfound|enoent",
    ),
    (Code::Configuration, "login failed*credentials"),
    (
        Code::ToolFailed,
        "failed due to an unknown error|azure powershell authentication failed|az.cmd' failed|\
         azure cli*exit code|azure cli*exit status|cli*non-zero exit|credential: exit status",
    ),
    // OAuth's own words, if nothing else is known.
    (Code::WrongSecret, "invalid_client"),
    (Code::ApplicationNotFound, "unauthorized_client"),
    (Code::NotAssignedToApplication, "not assigned to a role"),
    (
        Code::Configuration,
        "environmentcredential|invalid_request|unsupported_grant_type|malformed or invalid",
    ),
    (
        Code::NotSignedIn,
        "azureclicredential|azuredeveloperclicredential|azurepowershellcredential|\
         sharedtokencachecredential|visualstudiocodecredential|visualstudiocredential",
    ),
    (Code::AssertionMissing, "workloadidentitycredential"),
    (Code::NoManagedIdentity, "managedidentitycredential"),
];

/// Returns the code of the first phrase that a text contains, in lower case and with single spaces.
pub(super) fn code_of(text: &str) -> Option<Code> {
    PHRASES
        .iter()
        .find(|(_, phrases)| phrases.split('|').any(|phrase| contains(text, phrase)))
        .map(|(code, _)| *code)
}
