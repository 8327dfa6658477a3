import { createFoundryProvider } from "copilot-keyless";
import type { PlannedConfig } from "../wasm/types/provider.js";
import type { FORMATS } from "./choices.js";
import { json } from "./clean.js";
import { describeCredential } from "./credential.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { warn } from "./report.js";
import { snippets } from "./snippets.js";
import { table } from "./table.js";

type Format = (typeof FORMATS)[number];

export async function config(
  options: EndpointOptions & { json?: boolean; format?: Format; snippet?: boolean },
): Promise<number> {
  using provider = createFoundryProvider(providerOptions(options));
  const { config, model, endpoint, scope, credential, sources, warnings } = provider;
  const { bearerTokenProvider: _tokens, ...plainConfig } = config;
  if (options.json) {
    const all = { model, config: plainConfig, scope, credential, sources, endpoint, warnings };
    process.stdout.write(json(all, 2));
    return 0;
  }
  warn([...warnings, ...credential.warnings]);
  if (options.format) {
    // Without the token function it is the config of the plan.
    const found = snippets({ ...provider, config: plainConfig as PlannedConfig }, undefined).find(
      ({ id }) => id === options.format,
    );
    process.stdout.write(`${options.snippet ? found?.snippet : found?.code}\n`);
    return 0;
  }
  const from = (source: string) =>
    source === "option" ? "from the command line" : source === "default" ? "default" : `from ${source}`;
  const { clientId, clientIdSource = "", tenantId, tenantIdSource = "", authorityHost } = credential;
  const ids = (
    [
      ["client id", clientId, clientIdSource],
      ["tenant", tenantId, tenantIdSource],
      ["authority", authorityHost, ""],
    ] as const
  ).flatMap(([name, value, source]) => (value ? [[name, value, source && from(source)] as const] : []));
  process.stdout.write(
    table([
      ["endpoint", endpoint.url, from(sources.endpoint)],
      ["kind", endpoint.cloud === "unknown" ? endpoint.kind : `${endpoint.kind}, ${endpoint.cloud} cloud`],
      ["model", config.wireModel ? `${model}, deployed as ${config.wireModel}` : model, from(sources.model)],
      ["type", config.wireApi ? `${config.type}, ${config.wireApi} API` : `${config.type}`],
      ["base URL", config.baseUrl],
      ["scope", scope ?? "none", from(sources.scope)],
      [
        "credential",
        describeCredential(credential),
        credential.kind === "none" ? "" : from(credential.source),
      ],
      ...ids,
    ]),
  );
  return 0;
}
