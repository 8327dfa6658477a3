/**
 * Returns the SHA-256 of a text's UTF-8 bytes in lower-case hexadecimal digits, or `undefined` on a
 * platform without WebCrypto, such as a web page without https.
 */
export async function sha256(text: string): Promise<string | undefined> {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) return undefined;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
