import { createFoundryProvider } from "copilot-keyless";
import { type EndpointOptions, providerOptions } from "./options.js";
import { warn } from "./report.js";
import { table } from "./table.js";

export async function config(options: EndpointOptions & { json?: boolean }): Promise<number> {
  using provider = createFoundryProvider(providerOptions(options));
  const { config, model, endpoint, scope, sources, warnings } = provider;
  const { bearerTokenProvider, ...shown } = config;
  const token = bearerTokenProvider
    ? "a token per request, from DefaultAzureCredential"
    : "none: no scope is known";
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ model, config: shown, scope, sources, endpoint, warnings }, undefined, 2)}\n`,
    );
    return 0;
  }
  warn(warnings);
  const from = (source: string) =>
    source === "option" ? "from the command line" : source === "default" ? "the default" : `from ${source}`;
  process.stdout.write(
    table([
      ["endpoint", endpoint.url, from(sources.endpoint)],
      ["kind", endpoint.cloud === "unknown" ? endpoint.kind : `${endpoint.kind}, ${endpoint.cloud} cloud`],
      ["model", config.wireModel ? `${model}, deployed as ${config.wireModel}` : model, from(sources.model)],
      ["type", config.wireApi ? `${config.type}, ${config.wireApi} API` : `${config.type}`],
      ["base URL", config.baseUrl],
      ["scope", scope ?? "none", from(sources.scope)],
      ["credential", token],
    ]),
  );
  return 0;
}
