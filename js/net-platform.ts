// What reqwest gets in the place of the platform's `fetch` and `Request`; the build puts it there.

/**
 * A request that follows no redirect: not every platform takes the token off on the way to another host, and reqwest cannot be
 * told to.
 */
export class Request extends globalThis.Request {
  constructor(url: string, init: RequestInit) {
    super(url, { ...init, redirect: "manual" });
  }
}

/** A fetch whose error says in one line what Node hides in the causes, and whose answer is one that reqwest can read. */
export async function fetch(request: globalThis.Request): Promise<Response> {
  const response = await globalThis.fetch(request).catch((error: unknown) => {
    // What is no Error is reqwest's own word for its timeout.
    throw error instanceof Error ? new Error(words(error).join(": ")) : error;
  });
  // Browsers show nothing of a redirect, and a status of 0 is none to reqwest.
  if (response.type === "opaqueredirect") throw new Error("the host redirects to another address");
  // A Response that a program made itself, in the place of the network's, has no address; reqwest would stop for good.
  if (response.url === "") Object.defineProperty(response, "url", { value: request.url });
  return response;
}

/** The texts of an error and its causes, with the codes that the texts do not hold. */
function words(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return [];
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  const text = typeof message === "string" ? message : "";
  const coded = typeof code === "string" && !text.includes(code) ? [code] : [];
  return [text, ...coded, ...words(cause)].filter((part) => part !== "");
}
