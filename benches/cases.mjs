// Defines the cases: the program that runs for each system, the figure that is read from it, and
// the goals. Each entry of `against` is a row of the table.

import { isInstalled } from "./gateway/proxies.mjs";
import { atMost, atMostOver, faster, ofPeer, soonerThan } from "./goals.mjs";

export const OURS = "copilot-keyless";
const AZURE = "getBearerTokenProvider";
const MANAGED = "ManagedIdentityCredential";
const DEFAULT = "DefaultAzureCredential";
const MSAL = "MSAL alone";
const OPENAI = "openai's workload identity";
const CYCLER = "core-rest-pipeline's cycler";
const CLOSURE = "hand-written closure";
const program = (name) => `benches/programs/${name}.mjs`;
const scenario = (name) => `tests/conformance/programs/${name}.mjs`;

/** Makes the heap hold everything that the calls allocate, so that no collection runs meanwhile. */
const LARGE_HEAP = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];

/** The longest wait of a caller that should not wait: the inaccuracy of a timer. */
const AT_ONCE_MS = 2;

const NGINX = "nginx";
const LITELLM = "LiteLLM proxy";
const BARE_PROXY = "bare node proxy";
const NATIVE = "copilot-keyless-gateway";
const BARE_HYPER = "bare hyper proxy";
/** A case of the gateway. Peers that are not installed are left out. */
const gatewayCase = (name, title, unit, figure, against) => ({
  name: `gateway-${name}`,
  group: "gateway",
  title: `gateway, ${title}`,
  unit,
  program: program("gateway"),
  quickArgs: ["400", "1"],
  rounds: 3,
  figure: ({ report }) => report[figure],
  against: against.filter(({ peer }) => peer === "direct" || isInstalled(peer)),
});

/** A case of the native gateway, with the npm one among its peers. Left out where it is not built. */
const nativeCase = (name, ...rest) => {
  const made = gatewayCase(name, ...rest);
  const own = { ours: NATIVE, name: `native-${name}`, group: ["gateway", "native"] };
  const title = made.title.replace("gateway,", "native gateway,");
  return isInstalled(NATIVE) ? [{ ...made, ...own, title }] : [];
};

const ten = ({ toolResults: { length } }) =>
  length < 9 ? { toolCalls: [{ name: "step", arguments: { number: length + 1 } }] } : "Ten steps done";

/**
 * A case is `{ name, title, unit, against }` and either `sizes`, or a `program` that runs for each
 * system. Its arguments are the name of the system, then `args` or `quickArgs`. `emulator` has the
 * options of an emulator that runs beside it; `figure` reads the compared figure from a run.
 * `limit` is the best possible result: a figure, or a system that also runs. `together` measures
 * all systems in one process, because two processes differ by more than the systems do. `remark`
 * adds a note to a row. `group` is a name that several cases share for `--only`. `rounds` is how often each system runs, if not five times; `ours`: the
 * system that is compared, if not the npm package; `timeoutMs` how long a run may take, if not three minutes.
 */
export const CASES = [
  {
    name: "cached-call",
    title: "cached token, await",
    unit: "ns",
    program: program("cached-call"),
    args: ["time"],
    quickArgs: ["time", "0.4"],
    emulator: {},
    limit: CLOSURE,
    figure: ({ report }) => report.ns,
    against: [
      { peer: CLOSURE, goal: ofPeer(1, "the closure") },
      { peer: AZURE, goal: faster(8) },
      { peer: MANAGED, goal: faster(1) },
      { peer: DEFAULT, goal: faster(50) },
      { peer: OPENAI, goal: faster(1) },
      { peer: CYCLER, goal: faster(1) },
      { peer: MSAL, goal: faster(1) },
    ],
  },
  {
    name: "cached-heap",
    title: "heap a cached call",
    unit: "bytes",
    program: program("cached-call"),
    args: ["heap"],
    flags: LARGE_HEAP,
    emulator: {},
    limit: CLOSURE,
    // What the profiler itself allocates adds some thousandths of a byte to each call.
    figure: ({ report }) => Math.round(report.bytes),
    against: [
      { peer: CLOSURE, goal: ofPeer(1, "the closure") },
      { peer: AZURE, goal: faster(1, "less") },
      { peer: MANAGED, goal: faster(1, "less") },
      { peer: DEFAULT, goal: faster(1, "less") },
      { peer: OPENAI, goal: faster(1, "less") },
      { peer: CYCLER, goal: faster(1, "less") },
      { peer: MSAL, goal: faster(1, "less") },
    ],
  },
  ...["cold", "again"].map((when) => ({
    name: when === "cold" ? "callers-cold" : "callers-expired",
    title: `identity requests, 1,000 callers at once, ${when === "cold" ? "no token yet" : "the token has expired"}`,
    unit: "requests",
    program: program("callers"),
    limit: 1,
    figure: ({ report }) => report[when],
    against: [
      { peer: MANAGED, goal: atMost(1, "request") },
      { peer: AZURE, goal: atMost(1, "request") },
    ],
  })),
  {
    name: "sessions",
    title: "identity requests, 50 Copilot sessions at once",
    unit: "requests",
    program: program("sessions"),
    quickArgs: ["50"],
    emulator: {},
    limit: 1,
    figure: ({ report, identity }) => {
      if (report.answered !== 50) throw new Error(`only ${report.answered} of 50 sessions were answered`);
      return identity;
    },
    against: [
      { peer: MANAGED, goal: atMost(1, "request") },
      { peer: AZURE, goal: atMost(1, "request") },
    ],
  },
  {
    name: "refresh-slow",
    title: "longest wait while an endpoint that takes 500 ms refreshes",
    unit: "ms",
    program: program("refresh-wait"),
    args: ["slow"],
    emulator: { tokenLifetimeSeconds: 86_400 },
    limit: 0,
    figure: ({ report }) => report.longestMs,
    against: [
      { peer: MANAGED, goal: atMost(AT_ONCE_MS, "ms") },
      { peer: AZURE, goal: atMost(AT_ONCE_MS, "ms") },
    ],
  },
  {
    name: "refresh-hang",
    title: "longest wait while the endpoint hangs, token valid",
    unit: "ms",
    program: program("refresh-wait"),
    args: ["hang"],
    quickArgs: ["hang", "1500"],
    emulator: { tokenLifetimeSeconds: 86_400 },
    limit: 0,
    figure: ({ report }) => report.longestMs,
    remark: ({ report }) => (report.stillWaiting ? "still waiting when the measurement ended" : undefined),
    against: [
      { peer: MANAGED, goal: atMost(AT_ONCE_MS, "ms") },
      { peer: AZURE, goal: atMost(AT_ONCE_MS, "ms") },
    ],
  },
  {
    name: "outage-idle",
    title: "processes lost, outage across expiry with nobody asking",
    unit: "lost",
    program: scenario("outage-at-expiry"),
    limit: 0,
    figure: ({ code, report }) => (code === 0 && report?.afterwards.token ? 0 : 1),
    mayFail: true,
    against: [{ peer: AZURE, goal: atMost(0, "lost; a token at the first call afterwards") }],
  },
  {
    name: "outage-12h",
    title: "acquisitions in an outage of 12 h, token of 24 h",
    unit: "attempts",
    program: scenario("long-outage"),
    figure: ({ report }) => {
      if (report.failed > 0) throw new Error(`${report.failed} calls failed though the token was valid`);
      return report.attempts;
    },
    against: [{ peer: AZURE, goal: atMost(200, "attempts") }],
  },
  {
    name: "short-token",
    title: "identity requests, token with 240 s left, 1,000 calls",
    unit: "requests",
    program: program("lifetime"),
    limit: 1,
    figure: ({ report }) => report.requests,
    against: [
      { peer: MANAGED, goal: atMost(2, "requests") },
      { peer: AZURE, goal: atMost(2, "requests") },
    ],
  },
  {
    name: "az",
    title: "`az` processes in a turn of ten requests",
    unit: "processes",
    program: program("az"),
    emulator: { reply: ten },
    limit: 1,
    figure: ({ report }) => {
      if (report.reply !== "Ten steps done") throw new Error(`the turn ended with "${report.reply}"`);
      return report.started;
    },
    against: [
      { peer: "AzureCliCredential", goal: atMost(1, "process") },
      { peer: AZURE, goal: atMost(1, "process") },
    ],
  },
  {
    name: "first-token",
    title: "import to first token, cold process, direct credential",
    unit: "ms",
    program: program("first-token"),
    emulator: {},
    quickRounds: 3,
    limit: "bare node:http",
    figure: ({ report }) => report.ms,
    against: [
      { peer: "bare fetch", goal: ofPeer(1.25, "a bare fetch") },
      { peer: MANAGED, goal: faster(1) },
      { peer: MSAL, goal: faster(1) },
      { peer: "import of @azure/identity alone", goal: faster(1) },
    ],
  },
  ...["--version", "--help"].map((option) => ({
    name: `command-line${option}`,
    group: "command-line",
    title: `\`copilot-keyless ${option}\``,
    unit: "ms",
    program: program("command-line"),
    args: [option],
    quickRounds: 1,
    rounds: 3,
    limit: "node -e 0",
    figure: ({ report }) => report.ms,
    against: [{ peer: "node -e 0", goal: ofPeer(1.4, "a program that does nothing") }],
  })),
  {
    name: "import",
    title: 'import "copilot-keyless" alone',
    unit: "ms",
    program: program("import"),
    quickRounds: 3,
    figure: ({ report }) => report.ms,
    // The goal was set on a machine where the peer took 130 to 220 ms.
    against: [{ peer: "@azure/identity", goal: soonerThan(15, 130) }],
  },
  {
    name: "import-packages",
    title: 'packages that import "copilot-keyless" loads',
    unit: "packages",
    program: program("import-packages"),
    limit: 0,
    figure: ({ report }) => report.packages.length,
    against: [{ peer: "@azure/identity", goal: atMost(0, "packages") }],
  },
  ...[
    ["turn", "p50", "ms", 1.02],
    ["turn-p99", "p99", "p99", 1.05],
  ].map(([name, title, figure, most]) => ({
    name,
    title: `turn of a Copilot session, ${title}`,
    unit: "ms",
    program: program("turns"),
    args: ["200"],
    quickArgs: ["60"],
    emulator: {},
    together: true,
    limit: "static token",
    figure: ({ report }) => report[figure],
    against: [{ peer: "static token", goal: ofPeer(most, "a static token") }],
  })),
  ...[
    ["preset-tokens", 'input tokens of "hello", preset chat', "tokens", "inputTokens", 50],
    ["preset-bytes", 'request of "hello", preset chat', "bytes", "bytes", 50],
    ["preset-cpu", "CPU time of a turn with a session of its own, preset chat", "ms", "cpuMs", 1],
    ["preset-memory", "memory of the runtime over these turns, preset chat", "MB", "runtimeMb", 1],
  ].map(([name, title, unit, figure, factor]) => ({
    name,
    title,
    unit,
    program: program("presets"),
    args: ["1000"],
    quickArgs: ["60"],
    rounds: 1,
    timeoutMs: 900_000,
    emulator: {},
    figure: ({ report }) => report[figure],
    against: [{ peer: "preset coding", goal: faster(factor, "less") }],
  })),
  {
    name: "fleet",
    title: "peak over mean, 10,000 instances refresh (simulated)",
    unit: "x",
    program: program("fleet"),
    limit: 1,
    figure: ({ report }) => report.overMean,
    against: [{ peer: "fixed window, no jitter", goal: atMost(2, "x the mean of the jitter window") }],
  },
  ...[
    ["requests", "requests of a turn", "requests", "requests", 6],
    // Two round trips, and what timers are late.
    ["round-trips", "added to the first byte by storage 20 ms further away", "ms", "added", 50],
    ["first-byte", "first byte of a turn", "ms", "first0", 150],
    ["first-byte-5", "first byte, storage 5 ms away", "ms", "first5", 150 + 10],
    ["first-byte-20", "first byte, storage 20 ms away", "ms", "first20", 150 + 40],
    ["resume", "first byte of a turn after 200 turns", "ms", "resumed0", 150],
    ["resume-20", "the same, storage 20 ms away", "ms", "resumed20", 150 + 40],
    ["bytes", "sent for a turn", "KB", "kilobytes", 16],
  ].map(([name, title, unit, figure, most]) => ({
    name: `blob-${name}`,
    group: "blob",
    title: `conversations in Blob Storage, ${title}`,
    unit,
    program: program("blob-sessions"),
    quickArgs: ["60"],
    emulator: {},
    rounds: 3,
    figure: ({ report }) => report[figure],
    against: [{ peer: "local files", goal: atMost(most, unit) }],
  })),
  gatewayCase("json", "added to a whole answer, p50", "ms", "p50", [
    { peer: BARE_PROXY, goal: atMost(0.15, "ms") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: LITELLM, goal: faster(10) },
  ]),
  gatewayCase("json-p99", "added to a whole answer, p99", "ms", "p99", [
    { peer: BARE_PROXY, goal: ofPeer(2, "the bare proxy") },
    { peer: NGINX, goal: ofPeer(4, "nginx") },
    { peer: LITELLM, goal: faster(10) },
  ]),
  gatewayCase("first-byte", "added to the first byte of a stream, p50", "ms", "firstP50", [
    { peer: BARE_PROXY, goal: atMost(0.15, "ms") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: LITELLM, goal: faster(10) },
  ]),
  gatewayCase("crowd", "time for each of 64 at once, resource at once", "µs", "fastUs", [
    { peer: "direct", goal: ofPeer(1 / 0.85, "without it") },
    { peer: BARE_PROXY, goal: ofPeer(1.5, "the bare proxy") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: LITELLM, goal: faster(10) },
  ]),
  gatewayCase("crowd-slow", "time for each of 64 at once, resource takes 20 ms", "µs", "slowUs", [
    { peer: "direct", goal: ofPeer(1 / 0.85, "without it") },
    { peer: BARE_PROXY, goal: ofPeer(1.1, "the bare proxy") },
    { peer: NGINX, goal: ofPeer(1.1, "nginx") },
    { peer: LITELLM, goal: faster(1) },
  ]),
  gatewayCase("idle", "memory at rest", "MiB", "idleMib", [
    { peer: BARE_PROXY, goal: atMost(60, "MiB") },
    { peer: NGINX, goal: atMost(60, "MiB") },
    { peer: LITELLM, goal: faster(1, "less") },
  ]),
  gatewayCase("loaded", "memory after 100,000 requests", "MiB", "loadedMib", [
    { peer: BARE_PROXY, goal: atMost(120, "MiB") },
    { peer: NGINX, goal: atMost(120, "MiB") },
    { peer: LITELLM, goal: faster(1, "less") },
  ]),
  gatewayCase("grown", "memory grown in the second 50,000 requests", "MiB", "grownMib", [
    { peer: BARE_PROXY, goal: atMost(8, "MiB") },
    { peer: NGINX, goal: atMost(8, "MiB") },
    { peer: LITELLM, goal: faster(1, "less") },
  ]),
  gatewayCase("start", "start to the first answer", "ms", "startMs", [
    { peer: BARE_PROXY, goal: atMost(250, "ms") },
    { peer: NGINX, goal: atMost(250, "ms") },
    { peer: LITELLM, goal: faster(10) },
  ]),
  ...nativeCase("json", "added to a whole answer, p50", "ms", "p50", [
    { peer: BARE_HYPER, goal: atMostOver(0.05, "ms", "the bare hyper proxy") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: OURS, goal: faster(1) },
  ]),
  ...nativeCase("json-p99", "added to a whole answer, p99", "ms", "p99", [
    { peer: BARE_HYPER, goal: ofPeer(2, "the bare hyper proxy") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: OURS, goal: faster(1) },
  ]),
  ...nativeCase("first-byte", "added to the first byte of a stream, p50", "ms", "firstP50", [
    { peer: BARE_HYPER, goal: atMostOver(0.05, "ms", "the bare hyper proxy") },
    { peer: NGINX, goal: ofPeer(2, "nginx") },
    { peer: OURS, goal: faster(1) },
  ]),
  ...nativeCase("crowd", "time for each of 64 at once, resource at once", "µs", "fastUs", [
    { peer: "direct", goal: ofPeer(1 / 0.85, "without it") },
    { peer: BARE_HYPER, goal: ofPeer(1 / 0.95, "the bare hyper proxy") },
    { peer: NGINX, goal: ofPeer(1.1, "nginx") },
    { peer: OURS, goal: faster(1) },
  ]),
  ...nativeCase("idle", "memory at rest", "MiB", "idleMib", [
    { peer: BARE_HYPER, goal: atMost(15, "MiB") },
    { peer: NGINX, goal: atMost(15, "MiB") },
    { peer: OURS, goal: faster(1, "less") },
  ]),
  ...nativeCase("loaded", "memory after load", "MiB", "loadedMib", [
    { peer: BARE_HYPER, goal: atMost(40, "MiB") },
    { peer: NGINX, goal: atMost(40, "MiB") },
    { peer: OURS, goal: faster(1, "less") },
  ]),
  ...nativeCase("start", "start to the first answer", "ms", "startMs", [
    { peer: BARE_HYPER, goal: atMost(20, "ms") },
    { peer: NGINX, goal: atMost(20, "ms") },
    { peer: OURS, goal: faster(1) },
  ]),
  ...nativeCase("size", "the program", "MB", "sizeMb", [{ peer: BARE_HYPER, goal: atMost(8, "MB") }]),
  {
    name: "core-wasm",
    title: "core wasm, brotli",
    unit: "KB",
    sizes: ({ core, plan, explain }) => ({
      ours: core,
      note: `the planning module (endpoints, providers), loaded when it is used, is ${Math.round(plan)} KB; that of explanations, loaded at the first failure, is ${Math.round(explain)} KB`,
    }),
    against: [{ goal: atMost(45, "KB") }],
  },
  {
    name: "healthy-wasm",
    title: "core + plan, brotli",
    unit: "KB",
    sizes: ({ core, plan }) => ({
      ours: core + plan,
      note: "all that a program loads whose calls succeed, with a credential of its own or a managed identity on Node",
    }),
    against: [{ goal: atMost(70, "KB") }],
  },
  {
    name: "net-wasm",
    title: "net wasm, brotli",
    unit: "KB",
    sizes: ({ net }) => ({ ours: net, note: "loaded for https, and for http outside Node" }),
    against: [{ goal: atMost(110, "KB") }],
  },
  {
    name: "direct-size",
    title: "what a managed identity's first token loads in Node, minified, brotli",
    unit: "KB",
    sizes: ({ direct, core, plan, managedIdentityBundle }) => ({
      ours: direct,
      peer: managedIdentityBundle,
      note: `${Math.round(core + plan)} KB of it are WebAssembly`,
    }),
    against: [{ peer: "bundle of ManagedIdentityCredential", goal: faster(1, "less") }],
  },
  {
    name: "installed-size",
    title: "installed, without the optional @azure/identity",
    unit: "KB",
    sizes: ({ installed, installedRest, installedWorkerd, installedComponent, peerInstalled }) => ({
      ours: installed,
      peer: peerInstalled,
      note:
        `${Math.round(installedRest)} KB serve Node, Deno, Bun, browsers and bundlers; ${Math.round(installedWorkerd)} KB more are the same ` +
        `modules unpacked, since workerd compiles no bytes; ${Math.round(installedComponent)} KB are the component for Python and Rust`,
    }),
    against: [{ peer: "@azure/identity", goal: atMost(976, "KB (1,000,000 bytes)") }],
  },
  {
    name: "installed-packages",
    title: "packages installed with it",
    unit: "packages",
    sizes: ({ packages, peerPackages }) => ({ ours: packages, peer: peerPackages }),
    limit: 0,
    against: [{ peer: "@azure/identity", goal: atMost(0, "packages") }],
  },
];
