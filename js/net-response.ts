// Replaces the platform's `Response` in the network module; the build imports this file there.

/**
 * What reqwest checks an answer against. Not the platform's class: some servers, such as @hono/node-server, put one of their own in its
 * place, of which no answer of `fetch` is an instance.
 */
export const Response = {
  [Symbol.hasInstance]: (value: unknown): boolean =>
    typeof value === "object" && value !== null && "status" in value && "headers" in value,
};
