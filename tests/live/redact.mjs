// Replaces what a report must not hold by placeholders: tokens, secrets, ids, hosts, addresses and
// names. The same value always gets the same placeholder, so that a reader can tell them apart.

import { homedir, hostname, userInfo } from "node:os";

/** Names of variables whose values are secrets. */
const SECRET = /SECRET|PASSWORD|PASSWD|TOKEN|KEY|HEADER|ASSERTION|CONNECTION|COOKIE|SIGNATURE|CREDENTIAL/i;
/** Those that only look like it. */
const NO_SECRET = /^(AZURE_TOKEN_CREDENTIALS|FOUNDRY_TOKEN_SCOPE|AZURE_FEDERATED_TOKEN_FILE)$/i;
/** Variables that name somebody's resources. */
const NAMES = {
  site: /^WEBSITE_(SITE_NAME|HOSTNAME|OWNER_NAME|RESOURCE_GROUP|DEPLOYMENT_ID)$/i,
  app: /^CONTAINER_APP_(NAME|REVISION|REPLICA_NAME|HOSTNAME|ENV_DNS_SUFFIX)$/i,
  machine: /^(HOSTNAME|COMPUTERNAME|POD_NAME)$/i,
  user: /^(USER|USERNAME|LOGNAME|AZURE_USERNAME)$/i,
  "client-id": /^AZURE_CLIENT_ID$/i,
  "tenant-id": /^AZURE_TENANT_ID$/i,
  file: /^AZURE_(FEDERATED_TOKEN_FILE|CLIENT_CERTIFICATE_PATH)$/i,
};

/** Hosts that every tenant sees. */
const PUBLIC_HOSTS = new Set(
  [
    "ai.azure.com cognitiveservices.azure.com management.azure.com portal.azure.com oai.azure.com",
    "ai.azure.us cognitiveservices.azure.us cognitiveservices.azure.cn management.azure.cn",
    "servicebus.azure.net sts.windows.net login.microsoftonline.com login.microsoftonline.us",
    "login.chinacloudapi.cn aka.ms go.microsoft.com learn.microsoft.com platform.openai.com",
  ].flatMap((line) => line.split(" ")),
);

/** Last labels of host names. Names of fields and events have dots, too. */
const TLD = [
  "com|net|org|io|dev|app|ai|ms|edu|gov|mil|int|biz|info|cloud|tech|online|site|xyz|[a-z]{2}",
  "local|localhost|internal|intra|intranet|corp|lan|home|private|arpa|invalid|test|example",
].join("|");
const JWT = /(?<![\w-])(?=[\w-]+\.[\w-])([\w-]*?)eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){0,3}/g;
const AUTHORIZATION =
  /\b(bearer|basic|pop)\s+(?!\[|token\b|realm\b|error\b|authorization_uri\b)[\w.~+/=-]{8,}/gi;
const PATTERNS = [
  ["arm-id", /\/subscriptions\/[^\s"'`,;()[\]<>]+/gi],
  ["user", /(?<![\w.+#-])[\w.+#-]+@[\w-]+(?:\.[\w-]+)+/g],
  ["id", /\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b/gi],
  [
    "host",
    new RegExp(`(?<![\\w.-])(?:[a-z0-9_-]+\\.)+(?:${TLD})(?![\\w-])(?:\\.(?![\\w]))?(?::\\d+)?`, "gi"),
  ],
  ["host", /(?<=:\/\/)[^\s/"'`?#[\](),;<>]+/gi],
  ["address", /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)(?::\d+)?/g],
  ["address", /(?<![\w:])(?=[0-9a-f:]*::|(?:[0-9a-f]+:){7})[0-9a-f]*(?::[0-9a-f]*){2,7}(?![\w:])/gi],
  // Ids, keys and hashes: long, and with a digit.
  ["opaque", /(?<![\w+=-])(?=[A-Za-z+_=-]*\d)[\w+-]{22,}={0,2}/g],
  ["opaque", /(?<![\w+/=-])(?=\S*\d)(?=\S*[A-Z])(?=\S*[a-z])[\w+/]{22,}={0,2}/g],
];

/** Texts are cut to this length before the patterns: some take quadratic time. */
const MOST = 4_000;
/** The last word of a text that was cut, which no pattern may know by its beginning alone. */
const CUT_WORD = /(?<![^\s,;"'(){}])[^\s,;"'(){}]*$/;

/** Names of less than this length are replaced as whole words only, longer ones anywhere. */
const LONG = 8;

export class Redactor {
  #placeholders = new Map();
  #counts = new Map();
  /** Lower-case values and their placeholders. */
  #known = new Map();

  constructor(env = {}) {
    for (const [name, value] of Object.entries(env)) {
      const text = value?.trim() ?? "";
      if (SECRET.test(name) && !NO_SECRET.test(name) && text.length >= 6) this.learn("secret", text);
      for (const [kind, pattern] of Object.entries(NAMES)) if (pattern.test(name)) this.learn(kind, text);
    }
    this.learn("machine", hostname());
    this.learn("folder", homedir());
    this.learn(
      "user",
      quietly(() => userInfo().username),
    );
  }

  /** Replaces a value by `[kind]` from now on, in every encoding. Short ones count as words. */
  learn(kind, value) {
    if (typeof value !== "string" || value.trim().length < 2 || value.trim() === "/") return;
    for (const text of encodings(value.trim())) {
      const key = text.toLowerCase();
      if (!this.#known.has(key)) this.#known.set(key, `[${kind}]`);
    }
  }

  /** Cleans a text that came from elsewhere. Keeps at most `most` characters, on one line. */
  clean(value, most = 300) {
    let text = String(value ?? "").replaceAll(/\p{C}|\s+/gu, " ");
    text = text.replace(JWT, "$1[token]").replace(AUTHORIZATION, "$1 [token]");
    text = this.#replaceKnown(text, 0);
    const cut = text.length > MOST;
    if (cut) text = text.slice(0, MOST).replace(CUT_WORD, "");
    for (const [kind, pattern] of PATTERNS) text = text.replace(pattern, (found) => this.#named(kind, found));
    text = text.replaceAll("`", "'").replaceAll(/ {2,}/g, " ").trim();
    return cut || text.length > most ? `${text.slice(0, most)}…` : text;
  }

  /** Cleans every text of some data once more, of tokens and of known values that are long. */
  seal(data) {
    if (typeof data === "string") return this.#replaceKnown(data.replace(JWT, "$1[token]"), LONG);
    if (Array.isArray(data)) return data.map((item) => this.seal(item));
    if (typeof data !== "object" || data === null) return data;
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, this.seal(value)]));
  }

  #replaceKnown(text, least) {
    const values = [...this.#known].filter(([value]) => value.length >= least);
    values.sort(([a], [b]) => b.length - a.length);
    return values.reduce((clean, [value, placeholder]) => {
      const word = value.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const pattern = value.length < LONG ? `(?<![\\w-])${word}(?![\\w-])` : word;
      return clean.replace(new RegExp(pattern, "gi"), () => placeholder);
    }, text);
  }

  #named(kind, found) {
    if (kind === "host" && PUBLIC_HOSTS.has(found.replace(/\.$/, "").toLowerCase())) return found;
    const key = `${kind} ${found.toLowerCase()}`;
    const existing = this.#placeholders.get(key);
    if (existing) return existing;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#placeholders.set(key, `[${kind}-${count}]`);
    return `[${kind}-${count}]`;
  }
}

function encodings(value) {
  const encoded = quietly(() => encodeURIComponent(value)) ?? value;
  return [value, encoded, JSON.stringify(value).slice(1, -1)];
}

function quietly(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
