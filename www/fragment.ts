// The state that a link carries: the open panel and settings, as in `#refresh&lasts=14400000`. It
// is in the fragment, which browsers send to no server. It never holds a token, a body, a prompt or
// an answer.

/** The panels, by the names that a link gives them. */
export const PANELS = ["endpoint", "token", "error", "refresh", "try"] as const;

export type PanelName = (typeof PANELS)[number];

const ENDPOINT_KEYS = ["endpoint", "model", "deployment", "type", "wireApi", "apiVersion", "scope"] as const;

const SCENARIO_KEYS = [
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

export type EndpointKey = (typeof ENDPOINT_KEYS)[number];
export type ScenarioKey = (typeof SCENARIO_KEYS)[number];
type Settings = Partial<Record<EndpointKey | ScenarioKey, string | undefined>>;

interface Fragment {
  panel: PanelName;
  /** Whether the address names the panel. */
  named: boolean;
  settings: URLSearchParams;
}

let current = parse(location.hash);

function parse(hash: string): Fragment {
  const [first = "", ...rest] = hash.slice(1).split("&");
  const panel = PANELS.find((name) => name === first);
  const given = new URLSearchParams(panel ? rest.join("&") : hash.slice(1));
  const known = [...ENDPOINT_KEYS, ...SCENARIO_KEYS].filter((key) => given.get(key));
  const settings = new URLSearchParams(known.map((key) => [key, given.get(key) ?? ""]));
  return { panel: panel ?? defaultPanel(settings), named: panel !== undefined, settings };
}

/** The panel that opens when a link names none: the one whose settings it holds. */
function defaultPanel(settings: URLSearchParams): PanelName {
  const has = (key: string) => settings.has(key);
  return SCENARIO_KEYS.some(has) && !ENDPOINT_KEYS.some(has) ? "refresh" : "endpoint";
}

/** The panel to open, and whether the link names it. */
export function linkedPanel(): { panel: PanelName; named: boolean } {
  return current;
}

/** The settings of the link. Unknown names are left out. */
export function linkedSettings(): Settings {
  return Object.fromEntries(current.settings);
}

/** Whether the link describes an endpoint, or a scenario for the refresh. */
export function isLinked(what: "endpoint" | "scenario"): boolean {
  return (what === "endpoint" ? ENDPOINT_KEYS : SCENARIO_KEYS).some((key) => current.settings.has(key));
}

/** Writes settings into the link, without a step in the history. Removes those that are empty. */
export function linkSettings(changes: Settings): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value) current.settings.set(key, value);
    else current.settings.delete(key);
  }
  write();
}

/** Writes the open panel into the link. */
export function linkPanel(panel: PanelName): void {
  current = { ...current, panel };
  write();
}

function write(): void {
  const { panel, settings } = current;
  const named = panel === defaultPanel(settings) ? "" : panel;
  const fragment = [named, String(settings)].filter((part) => part !== "").join("&");
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
}

/**
 * Calls a listener when the user follows a link to a panel, which changes no settings. A link with
 * settings is another state of the page, and reloads it.
 */
export function onPanelLink(listener: (panel: PanelName) => void): void {
  addEventListener("hashchange", () => {
    const { panel, settings } = parse(location.hash);
    if (settings.size > 0) location.reload();
    else listener(panel);
  });
}
