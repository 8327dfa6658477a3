import type { Environment } from "../platform/environment.js";

/** In the order in which the runtime looks; it goes by them for `http` too. It knows no `ALL_PROXY`. */
const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/**
 * The variable that names the proxy through which the Copilot runtime goes to a URL, by the rules measured with the runtime of SDK
 * 1.0.14. This machine is no exception to it unless `NO_PROXY` says so.
 */
export function proxyVariable(url: string, env: Environment): string | undefined {
  const name = VARIABLES.find((variable) => env[variable]);
  return name && !exempt(new URL(url), env.NO_PROXY || env.no_proxy || "") ? name : undefined;
}

/** Whether `NO_PROXY` names the host, with or without its port, or a domain that it is in. */
function exempt({ protocol, hostname, port }: URL, list: string): boolean {
  const host = `.${hostname}`;
  const withPort = `${host}:${port || (protocol === "https:" ? 443 : 80)}`;
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => {
      const domain = `.${entry.replace(/^\*?\./, "")}`;
      return entry === "*" || (entry !== "" && (host.endsWith(domain) || withPort.endsWith(domain)));
    });
}
