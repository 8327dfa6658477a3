// Azure's most common error for a status.

import { STATUS_CODES } from "node:http";
import {
  appServiceError,
  azureError,
  type ErrorAnswer,
  type ErrorDetails,
  imdsError,
  resourceError,
} from "./errors.js";

/** Returns the resource's most common error for a status. */
export function resourceErrorForStatus(status: number, details: ErrorDetails = {}): ErrorAnswer {
  if (status === 401) return resourceError("token-invalid", details);
  if (status === 403) return resourceError("firewall");
  if (status === 404) return resourceError("wrong-path");
  if (status === 429) return resourceError("rate-limited", details);
  if (status === 500) return resourceError("server-error");
  if (status === 400) return azureError(400, "BadRequest", "The request was malformed.");
  if (status === 408) return azureError(408, "Timeout", "The operation was timeout.");
  if (status === 503) {
    return azureError(
      503,
      "ServiceUnavailable",
      "The service is temporarily unable to process your request.",
    );
  }
  return azureError(status, String(status), STATUS_CODES[status] ?? "Unknown");
}

/** Returns the managed identity endpoint's most common error for a status. */
export function identityErrorForStatus(
  status: number,
  imds: boolean,
  correlationId: string,
  retryAfterSeconds = 1,
): ErrorAnswer {
  const answer = imds
    ? imdsError(status, ...(IMDS_BY_STATUS[status] ?? IMDS_DEFAULT))
    : appServiceError(status, APP_SERVICE_BY_STATUS[status] ?? APP_SERVICE_DEFAULT, correlationId);
  return status === 429
    ? { ...answer, headers: { "retry-after": String(Math.ceil(retryAfterSeconds)) } }
    : answer;
}

const APP_SERVICE_DEFAULT =
  "An unexpected error occurred while fetching the AAD Token. Please contact support with this provided Correlation Id.";
const APP_SERVICE_BY_STATUS: Record<number, string> = {
  400: "No MSI found for specified ClientId/ResourceId.",
  401: "The X-IDENTITY-HEADER header is missing or does not match IDENTITY_HEADER.",
  429: "Too many requests.",
};

const IMDS_DEFAULT: [string, string] = [
  "unknown_error",
  "Failed to retrieve token from the Active directory.",
];
const IMDS_BY_STATUS: Record<number, [string, string]> = {
  400: ["invalid_request", "Identity not found"],
  404: ["not_found", "The identity is not known yet; try again."],
  410: ["gone", "IMDS is going through updates; try again."],
  429: ["too_many_requests", "Too many requests."],
};
