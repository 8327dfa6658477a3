// Starts emulators for the tests of this folder, and calls them.

import { afterEach, expect, vi } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../../js/emulator.js";

export const AI = "https://ai.azure.com";

const running: Emulator[] = [];

export async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ chunkDelayMs: 0, ...options });
  running.push(emulator);
  return emulator;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.stop()));
});

export function askIdentity(
  emulator: Emulator,
  query: Record<string, string> = {},
  headers = {},
): Promise<Response> {
  const url = new URL(emulator.identity.endpoint);
  url.search = new URLSearchParams({ resource: AI, "api-version": "2019-08-01", ...query }).toString();
  return fetch(url, { headers: { "X-IDENTITY-HEADER": emulator.env.IDENTITY_HEADER, ...headers } });
}

export async function tokenFor(emulator: Emulator, resource = AI): Promise<string> {
  return (await json(await askIdentity(emulator, { resource }))).access_token;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field.
export async function json(response: Response): Promise<any> {
  return JSON.parse(await response.text());
}

export interface Call {
  path?: string;
  body?: unknown;
  token?: string | undefined;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function post(
  emulator: Emulator,
  { path = "/openai/v1/responses", body, token, headers, signal }: Call,
) {
  return fetch(emulator.foundry.url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body ?? { model: "gpt-5.5", input: "hello" }),
    signal: signal ?? null,
  });
}

/** Returns the events of a stream: name and parsed data. */
// biome-ignore lint/suspicious/noExplicitAny: events are compared field by field.
export async function events(response: Response): Promise<{ event?: string; data: any }[]> {
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "");
  return blocks.map((block) => {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? "";
    return { ...(event ? { event } : {}), data: data === "[DONE]" ? data : JSON.parse(data) };
  });
}

export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 2000, interval: 2 });
}

export const last = (emulator: Emulator) => emulator.requests.at(-1);
