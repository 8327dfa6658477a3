import type { Problem } from "../http/problem.js";

/**
 * The body of an error: problem+json with the field `error` of the OpenAI API and of the platform's
 * own server, so that clients of both find the reason.
 */
export function problemBody({ body, code, status }: Problem): Record<string, unknown> {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  const { detail, hint } = body as { detail?: string; hint?: string };
  const message = [detail, hint].filter(Boolean).join(". ");
  return { ...body, error: { code, message, type, param: null } };
}
