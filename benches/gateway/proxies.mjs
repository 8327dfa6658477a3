// Starts the compared proxies, each in a process of its own, as its documentation says.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export const KEY = "key-of-the-bench-1";
export const NGINX_FILE = "/usr/sbin/nginx";
const local = (name) => join(import.meta.dirname, name);

const RELEASE = join(import.meta.dirname, "../../crates/gateway/target/release");
const NATIVE = join(RELEASE, "copilot-keyless-gateway");
const BARE_HYPER = join(RELEASE, "examples/bare");

/** Starts a program that prints its address, and returns that. */
async function printing(command, args, env = process.env) {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return { child, url };
}

const node = (...args) => printing(process.execPath, args);

/** Variables that lead a gateway to an identity endpoint in this process, and to its scope. */
async function identity() {
  const server = createHttpServer((_request, answer) => {
    const expires_on = `${Math.floor(Date.now() / 1_000) + 3_600}`;
    answer.end(JSON.stringify({ access_token: "token-of-the-bench", expires_on, token_type: "Bearer" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return {
    FOUNDRY_TOKEN_SCOPE: "https://ai.azure.com/.default",
    IDENTITY_ENDPOINT: `http://127.0.0.1:${server.address().port}/token`,
    IDENTITY_HEADER: "header-of-the-bench",
  };
}

export const startUpstream = (waitMs) => node(local("upstream.mjs"), `${waitMs}`);

/** The native gateway. */
async function native({ url }) {
  const env = { ...(await identity()), COPILOT_KEYLESS_GATEWAY_KEY: KEY };
  const args = ["--endpoint", `${url}/openai/v1/`, "--json", "--quiet"];
  const { child, url: line } = await printing(NATIVE, args, env);
  return { child, url: JSON.parse(line).url, program: NATIVE };
}

const PROXIES = {
  "copilot-keyless": async ({ url }) =>
    printing(process.execPath, [local("ours.mjs"), url, KEY], await identity()),
  "copilot-keyless-gateway": native,
  "bare hyper proxy": async ({ url }) => ({ ...(await printing(BARE_HYPER, [url])), program: BARE_HYPER }),
  "bare node proxy": ({ url }) => node(local("bare.mjs"), url),
  nginx: async ({ url, folder, port }) => {
    for (const name of ["logs", "temp"]) mkdirSync(join(folder, name));
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/temp;`)
      .join(" ");
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; worker_processes auto; pid ${folder}/pid; error_log stderr crit;
       events { worker_connections 1024; }
       http {
         access_log off; ${temporary} keepalive_timeout 60s; keepalive_requests 1000000;
         upstream resource { server ${new URL(url).host}; keepalive 64; keepalive_requests 1000000; }
         map $http_api_key $allowed { default 0; "${KEY}" 1; }
         server {
           listen 127.0.0.1:${port};
           location / {
             if ($allowed = 0) { return 401; }
             proxy_pass http://resource; proxy_http_version 1.1; proxy_buffering off;
             proxy_set_header Connection ""; proxy_set_header api-key "";
             proxy_set_header Authorization "Bearer token-of-the-bench";
           }
         }
       }`,
    );
    return spawn(NGINX_FILE, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  },
  "LiteLLM proxy": async ({ url, folder, port }) => {
    const model = { model: "openai/gpt-5.5", api_base: `${url}/openai/v1`, api_key: "token-of-the-bench" };
    const config = {
      model_list: [{ model_name: "gpt-5.5", litellm_params: model }],
      general_settings: { master_key: KEY },
    };
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
    const args = ["--config", join(folder, "config.yaml"), "--host", "127.0.0.1", "--port", `${port}`];
    // As its page on production says; and no download of its prices.
    const env = {
      ...process.env,
      LITELLM_MODE: "PRODUCTION",
      LITELLM_LOG: "ERROR",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
    };
    return spawn(process.env.LITELLM, args, { stdio: "ignore", env });
  },
};

/** Whether a proxy is installed: nginx from the system, LiteLLM where LITELLM names its command. */
export function isInstalled(name) {
  switch (name) {
    case "nginx":
      return existsSync(NGINX_FILE);
    case "LiteLLM proxy":
      return Boolean(process.env.LITELLM);
    case "copilot-keyless-gateway":
    case "bare hyper proxy":
      return existsSync(NATIVE) && existsSync(BARE_HYPER);
    default:
      return true;
  }
}

/** Starts a proxy to a resource. */
export async function startProxy(name, url) {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-proxy-"));
  const port = await freePort();
  const started = await PROXIES[name]({ url, folder, port });
  const proxy = started.url ? started : { child: started, url: `http://127.0.0.1:${port}` };
  return {
    ...proxy,
    async stop() {
      // A signal to end, so that nginx takes its workers with it.
      const ended = once(proxy.child, "exit");
      proxy.child.kill("SIGTERM");
      await Promise.race([ended, sleep(2_000)]);
      proxy.child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}
