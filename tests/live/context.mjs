// What every check has: the setup of the environment, the token, and requests with a deadline. It
// keeps each response of the resource, which some checks look at once more at the end.

import { createFoundryProvider, decodeToken, diagnose } from "copilot-keyless";
import { formOf, jsonOf, send } from "./http.mjs";
import { Redactor } from "./redact.mjs";
import { target } from "./target.mjs";

const RESOURCE_TIMEOUT_MS = 30_000;
const IDENTITY_TIMEOUT_MS = 10_000;
const TOKEN_TIMEOUT_MS = 30_000;

/** The most that a model answers to one request. The Responses API takes no less. */
export const OUTPUT_TOKENS = 16;
const PROMPT = "Reply with one word: ready";

export class Context {
  /** `undefined`: not signed in. Set by the first check. */
  token;
  /** Whether the resource answers an ordinary request, and in which API. Set by the second check. */
  wireApi;
  /** Whether the first request to the resource got no answer. The others are then not tried. */
  unreachable = false;
  /** The responses of the resource, oldest first: what was asked, and what came. */
  responses = [];
  /** Tokens of the managed identity endpoint, by the request that brought them. */
  identityTokens = new Map();
  #requests = { resource: 0, identity: 0 };

  constructor({ env, emulated, credential: given, signal }) {
    this.env = env;
    this.emulated = emulated;
    this.signal = signal;
    this.given = given;
    this.provider = target({ emulated, credential: given });
    const { endpoint, config, model, scope, credential } = this.provider;
    this.endpoint = endpoint;
    this.deployment = config.wireModel ?? model;
    this.scope = scope;
    this.origin = new URL(endpoint.url).origin;
    this.base = endpoint.type === "openai" ? endpoint.baseUrl : `${this.origin}/openai/v1/`;
    this.redactor = new Redactor(env);
    const { host, hostname } = new URL(endpoint.url);
    const names = { "resource-host": host, resource: endpoint.resource, project: endpoint.project };
    const ids = { "client-id": credential.clientId, "tenant-id": credential.tenantId };
    const known = { ...names, deployment: this.deployment, model, ...ids };
    this.redactor.learn("resource-host", hostname);
    for (const [kind, value] of Object.entries(known)) this.redactor.learn(kind, value);
  }

  get requests() {
    return { ...this.#requests };
  }

  /** Acquires a token, by the project's own choice of a credential. */
  async acquire(scope) {
    const provider =
      scope === undefined ? this.provider : createFoundryProvider({ credential: this.given, scope });
    try {
      const abortSignal = AbortSignal.any([this.signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]);
      const token = await provider.tokens.getToken({ abortSignal });
      this.learnToken(token.token);
      return token;
    } finally {
      if (provider !== this.provider) provider.close();
    }
  }

  /** Makes the report hide a token and whom it names. */
  learnToken(token) {
    const about = decodeToken(token);
    const ids = { "tenant-id": about.tenantId, "object-id": about.objectId, "client-id": about.appId };
    const names = { "app-name": about.appName, user: about.userName, identity: about.managedIdentity };
    const known = { token, ...ids, ...names };
    for (const [kind, value] of Object.entries(known)) this.redactor.learn(kind, value);
    // /subscriptions/<id>/resourcegroups/<name>/providers/<type>/<kind>/<name>
    const [, , subscription, , group, , , , name] = about.managedIdentity?.split("/") ?? [];
    const parts = { subscription, "resource-group": group, "identity-name": name };
    for (const [kind, value] of Object.entries(parts)) this.redactor.learn(kind, value);
    return about;
  }

  /** Returns an ordinary body for the model, in the API that it serves. */
  body(fields = {}, wireApi = this.wireApi ?? "responses") {
    const ordinary =
      wireApi === "responses"
        ? { input: PROMPT, max_output_tokens: OUTPUT_TOKENS, store: false }
        : { messages: [{ role: "user", content: PROMPT }], max_completion_tokens: OUTPUT_TOKENS };
    return { model: this.deployment, ...ordinary, ...fields };
  }

  /** Returns the URL of an API of the model. */
  url(wireApi = this.wireApi ?? "responses") {
    return `${this.base}${wireApi === "responses" ? "responses" : "chat/completions"}`;
  }

  /**
   * Sends a POST to the resource. `token: null` sends none. Adds the diagnosis, which the program
   * of a user would get.
   */
  async ask({ url = this.url(), body = this.body(), token = this.token?.token, name }) {
    this.#requests.resource += 1;
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await send({ url, body, headers, timeoutMs: RESOURCE_TIMEOUT_MS, signal: this.signal });
    const diagnosis = diagnose({
      endpoint: this.endpoint,
      status: response.status,
      headers: response.headers,
      body: response.body,
      deployment: this.deployment,
      wireApi: this.wireApi,
      ...(token === null ? {} : { token }),
    });
    this.unreachable ||= this.responses.length === 0 && response.status === 0;
    const answered = { ...response, diagnosis };
    this.responses.push({ ...answered, name });
    return answered;
  }

  /** Sends a GET to an identity endpoint. */
  async askIdentity({ url, headers, timeoutMs = IDENTITY_TIMEOUT_MS }) {
    this.#requests.identity += 1;
    const response = await send({ url, headers, timeoutMs, signal: this.signal });
    const json = jsonOf(response.body);
    if (typeof json?.access_token === "string") this.learnToken(json.access_token);
    return { ...response, json };
  }

  /** Cleans a text from elsewhere for the report. */
  clean(text, most) {
    return this.redactor.clean(text, most);
  }

  /** Describes a response in a line: status, type, form, and Azure's words. */
  describe({ status, headers, body, diagnosis }) {
    if (status === 0) return `no answer: ${this.clean(body)}`;
    const type = headers.get("content-type")?.split(";")[0] ?? "no content type";
    const words = messageOf(body);
    const parts = [
      diagnosis?.code,
      `HTTP ${status}`,
      `${this.clean(type)} ${this.clean(formOf(body))}`,
      words,
    ];
    return parts
      .filter(Boolean)
      .map((part) => (part === words ? this.clean(part) : part))
      .join(", ");
  }
}

/** Returns code and message of an error's body, in any of Azure's forms. */
function messageOf(body) {
  const json = jsonOf(body);
  const error = json?.error ?? json;
  if (typeof error === "string") return [error, json.error_description].filter(Boolean).join(": ");
  if (!error || json?.choices || json?.output || json?.access_token) return undefined;
  const { code, type, param, message } = error;
  return [code ?? type, param && `param ${param}`, message]
    .filter((part) => typeof part === "string" || typeof part === "number")
    .join(": ");
}
