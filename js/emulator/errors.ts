// The bodies of Azure's errors. The emulator, the page and the tests take them from here; a test finds
// each of the resource's in tests/tables/diagnoses.json. The page runs this in browsers: no imports
// from Node.

/** A status, a body and headers to send. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Details in Azure's messages. Each has a plausible default. */
export interface ErrorDetails {
  /** The audience in brackets of a 401. */
  readonly audience?: string;
  /** Object id of the principal that lacks a role. */
  readonly principal?: string;
  readonly dataAction?: string;
  /** The request, such as `POST /openai/v1/responses`. */
  readonly operation?: string;
  /** Seconds, for `rate-limited`. */
  readonly retryAfterSeconds?: number;
  /** The limit that was exceeded, for `rate-limited`. Default `token`. */
  readonly limit?: "token" | "call";
}

const NIL_GUID = "00000000-0000-0000-0000-000000000000";

/** An error in the form that most of Azure uses. */
export function azureError(status: number, code: string, message: string): ErrorAnswer {
  return { status, body: { error: { code, message } } };
}

/**
 * The 401 of the gateway in front of the resource. It is the same for a missing, wrong and expired
 * token.
 */
function unauthorized({ audience = "https://ai.azure.com" }: ErrorDetails): ErrorAnswer {
  const message = `Unauthorized. Access token is missing, invalid, audience is incorrect (${audience}), or have expired.`;
  return { status: 401, body: { statusCode: 401, message } };
}

/** The errors by name. */
export const RESOURCE_ERRORS = {
  "wrong-audience": unauthorized,
  "token-expired": unauthorized,
  "token-invalid": unauthorized,
  "wrong-cloud": () => unauthorized({ audience: "https://cognitiveservices.azure.us" }),
  "claims-challenge": () =>
    azureError(
      401,
      "InvalidAuthenticationToken",
      "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies",
    ),
  "missing-role": ({
    principal = NIL_GUID,
    dataAction = "Microsoft.CognitiveServices/accounts/OpenAI/responses/write",
    operation = "POST /openai/v1/responses",
  }: ErrorDetails) =>
    azureError(
      401,
      "PermissionDenied",
      `The principal \`${principal}\` lacks the required data action \`${dataAction}\` to perform \`${operation}\` operation.`,
    ),
  "missing-role-unnamed": () =>
    azureError(401, "PermissionDenied", "Principal does not have access to API/Operation."),
  "wrong-tenant": () =>
    azureError(
      400,
      "Tenant provided in token does not match resource token",
      `Token tenant ${NIL_GUID} does not match resource tenant.`,
    ),
  "custom-subdomain-required": () =>
    azureError(
      400,
      "BadRequest",
      "Please provide a custom subdomain for token authentication, otherwise API key is required.",
    ),
  "bad-key": () =>
    azureError(
      401,
      "401",
      "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
    ),
  "keys-disabled": () =>
    azureError(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource."),
  firewall: () => azureError(403, "403", "Access denied due to Virtual Network/Firewall rules."),
  "public-access-disabled": () =>
    azureError(403, "AccessDenied", "Public access is disabled. Please configure private endpoint."),
  "resource-blocked": () =>
    azureError(
      403,
      "Forbidden",
      "Your resource has been temporarily blocked because we detected behavior that may violate our content policy.",
    ),
  "resource-not-found": () => azureError(404, "404", "Subdomain does not map to a resource"),
  "deployment-not-found": () =>
    azureError(
      404,
      "DeploymentNotFound",
      "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
    ),
  "wrong-path": () => azureError(404, "404", "Resource not found"),
  "operation-not-supported": () =>
    azureError(
      400,
      "OperationNotSupported",
      "The responses operation does not work with the specified model, gpt-5.5. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
    ),
  "api-version": () =>
    azureError(400, "BadRequest", "api-version query parameter is not allowed when using /v1 path"),
  "api-version-unsupported": () => azureError(400, "BadRequest", "API version not supported"),
  "api-version-too-old": () =>
    azureError(
      400,
      "BadRequest",
      "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later",
    ),
  "unsupported-parameter": () =>
    invalidRequest(
      "Unsupported parameter: 'temperature' is not supported with this model.",
      "unsupported_parameter",
      "temperature",
    ),
  "context-length": () =>
    invalidRequest(
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 10383 tokens. Please reduce the length of the messages.",
      "context_length_exceeded",
      "messages",
    ),
  "encrypted-content": () =>
    invalidRequest("The encrypted content gAAA...5IEt could not be verified.", "invalid_encrypted_content"),
  "item-not-found": () =>
    invalidRequest(
      "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
      null,
      "input",
    ),
  "quota-exceeded": () =>
    azureError(
      403,
      "403",
      "Out of call volume quota for AIServices F0 pricing tier. Please retry after 15 days. To increase your call volume switch to a paid tier.",
    ),
  "rate-limited": ({ retryAfterSeconds = 1, limit = "token" }: ErrorDetails): ErrorAnswer => ({
    ...azureError(
      429,
      "429",
      `Requests have exceeded the ${limit} rate limit of your current pricing tier. Please retry after ${retryAfterSeconds} seconds.`,
    ),
    headers: {
      "retry-after": String(Math.ceil(retryAfterSeconds)),
      "retry-after-ms": String(Math.ceil(retryAfterSeconds * 1000)),
      "x-ratelimit-limit-requests": "250",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-limit-tokens": "250000",
      "x-ratelimit-remaining-tokens": "0",
    },
  }),
  "content-filter": (): ErrorAnswer => ({
    status: 400,
    body: {
      error: {
        message:
          "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: {
          code: "ResponsibleAIPolicyViolation",
          content_filter_result: { violence: { filtered: true, severity: "high" } },
        },
      },
    },
  }),
  "gateway-page": (): ErrorAnswer => ({
    status: 403,
    body: "<html>\n<head><title>403 Forbidden</title></head>\n<body><center><h1>403 Forbidden</h1></center><hr><center>Microsoft-Azure-Application-Gateway/v2</center></body></html>",
    headers: { "content-type": "text/html" },
  }),
  "gateway-key": (): ErrorAnswer => ({
    status: 401,
    body: {
      statusCode: 401,
      message:
        "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.",
    },
  }),
  "server-error": (): ErrorAnswer => ({
    status: 500,
    body: {
      error: {
        message: "The server had an error while processing your request. Sorry about that!",
        type: "server_error",
        param: null,
        code: null,
      },
    },
  }),
} satisfies Record<string, (details: ErrorDetails) => ErrorAnswer>;

/** The errors of a Foundry resource. Most names are codes of `diagnose()`. */
export type ResourceErrorCode = keyof typeof RESOURCE_ERRORS;

/** Whether `code` names an error of the resource. */
export function isResourceErrorCode(code: unknown): code is ResourceErrorCode {
  return typeof code === "string" && Object.hasOwn(RESOURCE_ERRORS, code);
}

/** Returns Azure's status, body and headers for an error. */
export function resourceError(code: ResourceErrorCode, details: ErrorDetails = {}): ErrorAnswer {
  return RESOURCE_ERRORS[code](details);
}

/** The 401 with a claims challenge (continuous access evaluation). */
export function claimsChallenge(claims: string): ErrorAnswer {
  const parameters = {
    realm: "",
    authorization_uri: "https://login.microsoftonline.com/common/oauth2/authorize",
    error: "insufficient_claims",
    claims: Buffer.from(claims).toString("base64"),
  };
  const list = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return { ...unauthorized({}), headers: { "www-authenticate": `Bearer ${list.join(", ")}` } };
}

/** The 400 of the OpenAI API for a missing parameter. */
export function missingParameter(name: string): ErrorAnswer {
  return invalidRequest(`Missing required parameter: '${name}'.`, "missing_required_parameter", name);
}

/** A 400 of the OpenAI API. */
export function invalidRequest(
  message: string,
  code: string | null = null,
  param: string | null = null,
): ErrorAnswer {
  return { status: 400, body: { error: { message, type: "invalid_request_error", param, code } } };
}

/** A 400 of the Anthropic API. */
export function anthropicInvalidRequest(message: string): ErrorAnswer {
  return { status: 400, body: { type: "error", error: { type: "invalid_request_error", message } } };
}

/** An error of the managed identity endpoint of App Service. */
export function appServiceError(status: number, message: string, correlationId: string): ErrorAnswer {
  return { status, body: { statusCode: status, message, correlationId } };
}

/** An error of IMDS. */
export function imdsError(status: number, error: string, description: string): ErrorAnswer {
  return { status, body: { error, error_description: description } };
}
