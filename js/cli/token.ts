import { createFoundryProvider, decodeToken } from "copilot-keyless";
import { json } from "./clean.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { describePrincipal } from "./principal.js";
import { warn } from "./report.js";
import { table } from "./table.js";

export async function token(options: EndpointOptions & { json?: boolean }): Promise<number> {
  using provider = createFoundryProvider(providerOptions(options));
  const started = performance.now();
  const { token, expiresOnTimestamp } = await provider.tokens.getToken();
  const tookMs = Math.round(performance.now() - started);
  const about = decodeToken(token);
  const { refreshOn } = provider.tokens.status;
  if (options.json) {
    const result = { scope: provider.scope, expiresOn: expiresOnTimestamp, refreshOn, tookMs, token: about };
    process.stdout.write(json(result, 2));
    return 0;
  }
  warn(provider.warnings);
  process.stdout.write(
    table([
      ["principal", describePrincipal(about)],
      ["object id", about.objectId ?? "unknown", "needs the role on the resource"],
      ["tenant", about.tenantId ?? "unknown"],
      ["audience", about.audience ?? "unknown", `requested: ${provider.scope}`],
      ["expires", time(expiresOnTimestamp)],
      ["refresh", refreshOn === undefined ? "unknown" : time(refreshOn), "at the first call after this time"],
      ["took", `${tookMs} ms`],
    ]),
  );
  return 0;
}

function time(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}
