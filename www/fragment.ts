// The state that a link carries. It is in the fragment, which browsers send to no server, and holds settings only: what a panel
// passes in here has been accepted by the core, and is no token, no body, no prompt and no answer.

/** What a link may set. */
const KEYS = [
  "endpoint",
  "model",
  "deployment",
  "type",
  "wireApi",
  "apiVersion",
  "scope",
  "lasts",
  "lifetime",
  "outageFrom",
  "outageFor",
  "outageKind",
  "latency",
  "every",
  "instances",
  "ahead",
  "jitter",
] as const;

export type Key = (typeof KEYS)[number];

/** What the address says; unknown names are left out. */
export function linked(): Partial<Record<Key, string>> {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KEYS.flatMap((key) => (given.get(key) ? [[key, given.get(key)]] : [])));
}

/** Puts settings into the address, without a step in the history. An empty one is taken out. */
export function link(settings: Partial<Record<Key, string | undefined>>): void {
  const all = new URLSearchParams(Object.entries({ ...linked() }));
  for (const [key, value] of Object.entries(settings)) {
    if (value) all.set(key, value);
    else all.delete(key);
  }
  history.replaceState(null, "", all.size > 0 ? `#${all}` : location.pathname + location.search);
}
