import type { Environment } from "../platform/environment.js";

/** The variables that exclude hosts from the proxy, with this machine added to each. */
export function withLoopback(env: Environment): Record<"NO_PROXY" | "no_proxy", string> {
  const merged = (name: string) => [env[name], "127.0.0.1", "localhost"].filter(Boolean).join(",");
  return { NO_PROXY: merged("NO_PROXY"), no_proxy: merged("no_proxy") };
}
