// Starts the gateway as the files of examples/gateway start it, and asks their probes.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseAllDocuments, parseDocument } from "yaml";
import { BUILD_MS, nativeProgram } from "../../support/native-gateway.js";
import { newcomer, root } from "../../support/process.js";

const emulator: Emulator = await startEmulator({ chunkDelayMs: 0 });
afterAll(() => emulator.stop());

const read = (name: string) => readFileSync(join(root, "examples/gateway", name), "utf8");
const KEY = "ckg-key-of-the-examples";
/** The port in all files. */
const PORT = "4141";
const CLI = join(root, "dist/cli.cjs");

interface Variable {
  name: string;
  value?: string;
  secretRef?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

interface Probe {
  httpGet?: { path: string; port: number };
  exec?: { command: string[] };
}

interface Container {
  name: string;
  args?: string[];
  env: Variable[];
  restartPolicy?: string;
  probes?: (Probe & { type: string })[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
}

/** The instructions of a Dockerfile: their names, and what follows. */
function instructions(text: string): [name: string, rest: string][] {
  return text
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
      return [name, rest];
    });
}

const dockerfile = instructions(read("Dockerfile"));
const ofImage = (name: string) => dockerfile.find(([one]) => one === name)?.[1] ?? "";

/** Where the files say that the native gateway is. */
const NATIVE = "/usr/bin/copilot-keyless-gateway";
let native = "";
beforeAll(async () => {
  native = await nativeProgram();
}, BUILD_MS);

/** The program that a file names, on this machine. */
function programOf(file: string): string {
  if (file === NATIVE) return native;
  return /(^|\/)node$/.test(file) ? process.execPath : file;
}
const entrypoint: string[] = JSON.parse(ofImage("ENTRYPOINT"));

const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return `${port}`;
};

/** Starts a command line in place of the port and the paths of a file, and waits until it serves. */
async function started([file = "", ...args]: string[], given: Record<string, string>) {
  const port = await freePort();
  const own = (text: string) =>
    text
      .replaceAll(PORT, port)
      .replace(/^(\/usr\/lib\/)?node_modules\/copilot-keyless\/dist\/cli\.cjs$/, CLI);
  const env = newcomer({
    ...emulator.env,
    ...given,
    FOUNDRY_RESOURCE_URL: emulator.env.FOUNDRY_RESOURCE_URL,
  });
  const child = spawn(programOf(file), args.map(own), { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      printed += chunk;
    });
  const url = `http://127.0.0.1:${port}`;
  const health = () =>
    fetch(`${url}/healthz`).then(
      ({ status }) => status,
      () => printed,
    );
  await expect.poll(health).toBe(200);
  const status = async (key: string) => {
    const response = await fetch(`${url}/openai/v1/models`, { headers: { "api-key": key } });
    return response.status;
  };
  const stop = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
    return [child.exitCode, printed];
  };
  return { own, url, status, stop };
}

/** Serves with the key that the file takes from a secret, and ends without having shown it. */
async function servesBySecret(command: string[], env: Record<string, string>, probes: Probe[] = []) {
  const { own, url, status, stop } = await started(command, env);
  expect([await status(KEY), await status("another-key-of-16")]).toEqual([200, 401]);
  for (const { httpGet, exec } of probes) {
    if (exec) {
      const [file = "", ...args] = exec.command;
      await promisify(execFile)(programOf(file), args.map(own));
    }
    // As a kubelet: by the pod's address, whatever that is.
    else
      expect((await fetch(own(`${url}${httpGet?.path}`), { headers: { host: "10.0.0.7" } })).status).toBe(
        200,
      );
    if (httpGet) expect(httpGet.port).toBe(Number(PORT));
  }
  const [code, printed] = await stop();
  expect(code).toBe(0);
  expect(printed).not.toContain(KEY);
}

/** The environment of a container, with the secret's value. */
function environmentOf({ env }: Container): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, secretRef, valueFrom }) => {
      expect(secretRef ?? valueFrom?.secretKeyRef.name ?? "gateway-key").toBe("gateway-key");
      return [name, value ?? KEY];
    }),
  );
}

const named = (containers: Container[], name: string) =>
  containers.find((container) => container.name === name) as Container;

/** Both containers of a pod have the same key, and the app's address is the gateway's. */
function expectOneKey(gateway: Container, app: Container): void {
  const own = environmentOf(app);
  expect(own).toEqual({ OPENAI_BASE_URL: `http://127.0.0.1:${PORT}/openai/v1`, OPENAI_API_KEY: KEY });
  expect(environmentOf(gateway).COPILOT_KEYLESS_GATEWAY_KEY).toBe(KEY);
}

describe("Dockerfile", () => {
  test("is built from known instructions, as a user without rights, from the packed file", () => {
    expect(dockerfile.map(([name]) => name)).toEqual([
      ...["FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"],
    ]);
    const { engines, name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(ofImage("FROM")).toMatch(/^node:22-/);
    expect(engines.node).toContain(">=22");
    expect(ofImage("COPY")).toContain(`${name}-*.tgz`);
    expect([ofImage("USER"), ofImage("EXPOSE")]).toEqual(["1000", PORT]);
  });

  test("its command serves, and its health check passes", async () => {
    const [, check = ""] = /CMD (.+)$/.exec(ofImage("HEALTHCHECK")) ?? [];
    const command = [...entrypoint, ...JSON.parse(ofImage("CMD"))];
    await servesBySecret(command, { COPILOT_KEYLESS_GATEWAY_KEY: KEY }, [
      { exec: { command: JSON.parse(check) } },
    ]);
  });
});

test("native/Dockerfile: an image without a shell, whose command serves and whose health check passes", async () => {
  const all = instructions(read("native/Dockerfile"));
  const last = all.slice(all.findLastIndex(([name]) => name === "FROM"));
  const of = (name: string) => last.find(([one]) => one === name)?.[1] ?? "";
  expect(last.map(([name]) => name)).toEqual(["FROM", "COPY", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"]);
  expect(of("FROM")).toMatch(/^gcr\.io\/distroless\/cc-debian\d+:nonroot$/);
  expect([of("COPY").endsWith(` ${NATIVE}`), of("EXPOSE")]).toEqual([true, PORT]);
  const [, check = ""] = /CMD (.+)$/.exec(of("HEALTHCHECK")) ?? [];
  const command = [...JSON.parse(of("ENTRYPOINT")), ...JSON.parse(of("CMD"))];
  await servesBySecret(command, { COPILOT_KEYLESS_GATEWAY_KEY: KEY }, [
    { exec: { command: JSON.parse(check) } },
  ]);
});

test("container-app.yaml: its sidecar serves, and its probes pass", async () => {
  const document = parseDocument(read("container-app.yaml"), { strict: true });
  expect(document.errors).toEqual([]);
  const { identity, properties } = document.toJS() as {
    identity: { userAssignedIdentities: object };
    properties: {
      configuration: { secrets: { name: string; identity: string }[]; ingress: { targetPort: number } };
      template: { containers: Container[] };
    };
  };
  const { secrets, ingress } = properties.configuration;
  expect(secrets).toMatchObject([
    { name: "gateway-key", identity: Object.keys(identity.userAssignedIdentities)[0] },
  ]);
  // The gateway is not what the ingress serves.
  expect(`${ingress.targetPort}`).not.toBe(PORT);
  const { containers } = properties.template;
  const gateway = named(containers, "gateway");
  expectOneKey(gateway, named(containers, "app"));
  expect(gateway.probes?.map(({ type }) => type)).toEqual(["Startup", "Liveness", "Readiness"]);
  // Others cannot be had there.
  for (const { httpGet } of gateway.probes ?? []) expect(httpGet).toBeDefined();
  const { AZURE_CLIENT_ID: _, ...env } = environmentOf(gateway);
  await servesBySecret([...entrypoint, ...(gateway.args ?? [])], env, gateway.probes);
});

const AKS: [name: string, program: string, command: readonly string[]][] = [
  ["aks.yaml", "node", entrypoint],
  ["native/aks.yaml", NATIVE, [NATIVE, "--port", PORT]],
];
test.each(AKS)(
  "an AKS sidecar serves, its probes pass, and the app has no identity: %s",
  async (...given) => {
    const [name, program, command] = given;
    const documents = parseAllDocuments(read(name), { strict: true });
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const [account, deployment] = documents.map((document) => document.toJS());
    const { metadata, spec } = deployment.spec.template;
    expect(spec.serviceAccountName).toBe(account.metadata.name);
    expect(metadata.labels).toMatchObject(deployment.spec.selector.matchLabels);
    expect(metadata.labels["azure.workload.identity/use"]).toBe("true");
    const app = named(spec.containers, "app");
    const gateway = named(spec.initContainers, "gateway");
    expect(metadata.annotations["azure.workload.identity/skip-containers"]).toBe(app.name);
    expect(gateway.restartPolicy).toBe("Always");
    expectOneKey(gateway, app);
    const probes = [gateway.startupProbe, gateway.livenessProbe] as Probe[];
    // It listens on loopback, where a kubelet's own requests do not come to.
    expect(gateway.args).not.toContain("--host");
    for (const { exec } of probes) expect(exec?.command[0]).toBe(program);
    await servesBySecret([...command, ...(gateway.args ?? [])], environmentOf(gateway), probes);
  },
);

describe.each([
  ["systemd", "copilot-keyless-gateway.service", "/usr/bin/node"],
  ["systemd, native", "native/copilot-keyless-gateway.service", NATIVE],
])("%s", (_title, name, installed) => {
  const unit = read(name);

  test("the unit's command serves with the key of its environment file", async () => {
    const [, command = ""] = /^ExecStart=(.+)$/m.exec(unit) ?? [];
    expect(unit).toMatch(/^EnvironmentFile=\/etc\/copilot-keyless\/gateway\.env$/m);
    await servesBySecret(command.split(" "), { COPILOT_KEYLESS_GATEWAY_KEY: KEY });
  });

  test("systemd-analyze finds nothing wrong with the unit", (context) => {
    const folder = mkdtempSync(join(tmpdir(), "ck-unit-"));
    const file = join(folder, "copilot-keyless-gateway.service");
    writeFileSync(file, unit.replace(installed, programOf(installed)));
    try {
      execFileSync("systemd-analyze", ["--version"]);
    } catch {
      return context.skip("systemd is not installed");
    }
    const output = execFileSync("systemd-analyze", ["verify", "--man=no", file], { stdio: "pipe" });
    expect(String(output)).toBe("");
  });
});

test("launchd: the agent's command serves with the key of its file, and prints nothing", async () => {
  const script = "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
  const agent = JSON.parse(
    execFileSync("python3", ["-c", script], {
      input: read("copilot-keyless.gateway.plist"),
      encoding: "utf8",
    }),
  );
  expect(agent).toMatchObject({ RunAtLoad: true, KeepAlive: { SuccessfulExit: false } });
  const home = mkdtempSync(join(tmpdir(), "ck-home-"));
  mkdirSync(join(home, "Library/Logs"), { recursive: true });
  mkdirSync(join(home, "bin"));
  symlinkSync(CLI, join(home, "bin/copilot-keyless"));
  const { PATH } = agent.EnvironmentVariables;
  const { status, stop } = await started(agent.ProgramArguments, {
    HOME: home,
    PATH: `${join(home, "bin")}:${join(process.execPath, "..")}:${PATH}`,
  });
  const key = readFileSync(join(home, ".copilot-keyless-key"), "utf8").trim();
  expect(await status(key)).toBe(200);
  expect(await stop()).toEqual([0, ""]);
  expect(readFileSync(join(home, "Library/Logs/copilot-keyless-gateway.log"), "utf8")).not.toContain(key);
});
