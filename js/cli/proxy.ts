import type { Environment } from "../platform/environment.js";

/**
 * The proxy variables in the runtime's order, for `https` and `http` alike. It ignores `ALL_PROXY`.
 */
const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/**
 * Returns the variable with the proxy that the Copilot runtime uses for a URL, by the rules
 * measured with the runtime of SDK 1.0.14. It applies to this machine, too, unless `NO_PROXY`
 * excludes it.
 */
export function proxyVariable(url: string, env: Environment): string | undefined {
  const name = VARIABLES.find((variable) => env[variable]);
  return name && !isExcluded(new URL(url), env.NO_PROXY || env.no_proxy || "") ? name : undefined;
}

/** Whether `NO_PROXY` lists the host, with or without its port, or one of its parent domains. */
function isExcluded({ protocol, hostname, port }: URL, list: string): boolean {
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

/** The variables that exclude hosts from the proxy, with this machine added to each. */
export function withLoopback(env: Environment): Record<"NO_PROXY" | "no_proxy", string> {
  const merged = (name: string) => [env[name], "127.0.0.1", "localhost"].filter(Boolean).join(",");
  return { NO_PROXY: merged("NO_PROXY"), no_proxy: merged("no_proxy") };
}
