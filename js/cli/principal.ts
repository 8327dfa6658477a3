import type { TokenDescription } from "copilot-keyless";

/** Whom a token stands for, by its best name. */
export function describePrincipal(about: TokenDescription): string {
  const { principal } = about;
  const who = about.userName ?? about.managedIdentity ?? about.appName ?? about.objectId ?? "it does not say";
  return principal === "unknown" ? who : `${principal}: ${who}`;
}

/** The same on a line with other things: of a resource id the name. */
export function namePrincipal(about: TokenDescription): string {
  return describePrincipal({
    ...about,
    ...(about.managedIdentity ? { managedIdentity: about.managedIdentity.split("/").at(-1) ?? "" } : {}),
  });
}
