import type { TokenDescription } from "copilot-keyless";

/** Describes the principal of a token by the best name that the token has. */
export function describePrincipal(about: TokenDescription): string {
  const { principal } = about;
  const name = about.userName ?? about.managedIdentity ?? about.appName ?? about.objectId ?? "unknown";
  return principal === "unknown" ? name : `${principal}: ${name}`;
}

/** Does the same in short: shows the name in a resource id. */
export function shortPrincipal(about: TokenDescription): string {
  return describePrincipal({
    ...about,
    ...(about.managedIdentity ? { managedIdentity: about.managedIdentity.split("/").at(-1) ?? "" } : {}),
  });
}
