// Untrusted text (from the model, the identity endpoint, a token) cannot control a terminal. Also
// tests doctor on a real terminal.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { clean, json } from "../../../js/cli/clean.js";
import { newcomer, root } from "../../support/process.js";
import { cli } from "./support.js";

/** Sequences that set the title, colour, clear the screen, change the direction, and hide text. */
const HOSTILE = "\u001b]0;pwned\u0007\u001b[31mRED\u001b[2J \u009b2J \u202edrow\u2066 \u200bzero\ufeff";

const emulator = await startEmulator({ reply: () => `ready ${HOSTILE}`, chunkDelayMs: 1 });
afterAll(() => emulator.stop());
beforeEach(() => emulator.faults.clear());

/** Expects no control characters except line ends and tabs. */
function expectHarmless(text: string): void {
  expect(text).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u);
}

describe("the words of others", () => {
  test("the model's, in a chat and in doctor's turn", async () => {
    const env = newcomer({ ...emulator.env });
    const chat = await cli(["chat", "Hello"], env);
    expect(chat.stdout).toContain("␛]0;pwned␇␛[31mRED␛[2J");
    expect(chat.stdout).toContain("zero");
    expectHarmless(chat.stdout + chat.stderr);
    const doctor = await cli(["doctor"], env);
    expect(doctor.stdout).toMatch(/^✓ turn .*ready ␛\]0;pwned/m);
    expectHarmless(doctor.stdout);
    expect(doctor.code).toBe(0);
  });

  test("a token's claims", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 3_600;
    const claims = { aud: HOSTILE, exp, oid: HOSTILE, upn: `${HOSTILE}\n✓ token  forged` };
    const body = {
      access_token: `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`,
      expires_on: String(exp),
      resource: "https://ai.azure.com",
      token_type: "Bearer",
    };
    emulator.faults.add({ server: "identity", kind: "body", body: JSON.stringify(body), times: Infinity });
    const env = newcomer({ ...emulator.env });
    for (const args of [["token"], ["doctor"], ["token", "--json"], ["doctor", "--json"]]) {
      const { stdout, stderr } = await cli(args, env);
      expect(stdout).toContain("pwned");
      expectHarmless(stdout + stderr);
      expect(stdout).not.toMatch(/^✓ token {2}forged/m);
    }
    // JSON escapes the text instead of changing it.
    expect(JSON.parse((await cli(["token", "--json"], env)).stdout).token.audience).toBe(HOSTILE);
  });

  test("the identity endpoint's", async () => {
    const body = { error: "invalid_request", error_description: `${HOSTILE}\n✓ token  forged` };
    emulator.faults.add({ server: "identity", kind: "status", status: 400, body, times: Infinity });
    const env = newcomer({ ...emulator.env });
    for (const args of [["token", "--debug"], ["doctor"], ["chat", "Hello"]]) {
      const { stdout, stderr, code } = await cli(args, env);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain("pwned");
      expectHarmless(stdout + stderr);
      expect(stdout + stderr).not.toMatch(/^✓ token {2}forged/m);
    }
  });

  test("in pieces, wherever they are cut", () => {
    const whole = clean(HOSTILE);
    expectHarmless(whole);
    for (let at = 0; at <= HOSTILE.length; at += 1)
      expect(clean(HOSTILE.slice(0, at)) + clean(HOSTILE.slice(at))).toBe(whole);
    expect(clean("a\tb\r\nc 日本語 é 🙂")).toBe("a\tb\nc 日本語 é 🙂");
  });

  test("as JSON, whole", () => {
    const value = { text: `${HOSTILE} \u{e0041}`, list: [1, "\u2028"] };
    for (const indent of [undefined, 2]) {
      const written = json(value, indent);
      expectHarmless(written);
      expect(JSON.parse(written)).toEqual(value);
    }
  });
});

interface Seen {
  screen: string;
  raw: string;
  code: number;
}

/**
 * Runs doctor in a terminal of util-linux's `script`. `at` types Ctrl-C, which the whole process
 * group receives.
 */
async function atTerminal(columns: number, env: Record<string, string>, at?: () => boolean): Promise<Seen> {
  const program = `stty cols ${columns} rows 50; exec '${process.execPath}' '${join(root, "dist/cli.cjs")}' doctor`;
  const child = spawn("script", ["-qec", program, "/dev/null"], {
    env: { ...newcomer(env), PATH: process.env.PATH, TERM: "xterm", NO_COLOR: "1", SHELL: "/bin/sh" },
  });
  let raw = "";
  let typed = false;
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    raw += chunk;
    if (typed || !at?.()) return;
    typed = true;
    child.stdin.write("\u0003");
  });
  const [code] = await once(child, "close");
  return { screen: shown(raw), raw, code };
}

/** Renders the screen of a program that erases only its current line. */
function shown(raw: string): string {
  const lines = [""];
  let column = 0;
  for (const [token] of raw.matchAll(/\p{Cc}\[[?\d;]*[A-Za-z]|./gsu)) {
    const line = lines.at(-1) ?? "";
    if (token === "\n") lines.push("");
    if (token === "\n" || token === "\r" || token === "\u001b[1G") column = 0;
    else if (token === "\u001b[0K" || token === "\u001b[K") lines[lines.length - 1] = line.slice(0, column);
    else if (token.startsWith("\u001b")) expect(token.slice(1)).toMatch(/^\[\?(25|2026)[hl]$/);
    else {
      lines[lines.length - 1] = line.slice(0, column) + token + line.slice(column + 1);
      column += 1;
    }
  }
  return lines.join("\n");
}

describe.runIf(process.platform === "linux")("a real terminal", () => {
  test.each([40, 80])("%i columns: the spinner leaves nothing behind", async (columns) => {
    const { screen, raw, code } = await atTerminal(columns, { ...emulator.env });
    expect(code).toBe(0);
    expect(raw).toContain("turn ...");
    expect(screen).not.toContain("...");
    expect(screen).not.toMatch(/[⠀-⣿]/u);
    expect(
      screen
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ").slice(0, 2).join(" ")),
    ).toEqual([
      ...["environment", "endpoint", "credential", "token", "request", "turn"].map((name) => `✓ ${name}`),
      "",
      "All checks",
    ]);
    // The cursor is visible again.
    expect(raw.lastIndexOf("\u001b[?25h")).toBeGreaterThan(raw.lastIndexOf("\u001b[?25l"));
  });

  test("Ctrl-C in the turn, which the runtime gets too", async () => {
    const before = emulator.counts.foundry;
    emulator.faults.add({
      server: "foundry",
      kind: "hang",
      times: Infinity,
      match: () => emulator.counts.foundry > before + 1,
    });
    const { screen, raw, code } = await atTerminal(
      80,
      { ...emulator.env },
      () => emulator.counts.foundry > before + 1,
    );
    expect(code).toBe(130);
    expect(screen).toMatch(/^✓ request/m);
    expect(screen).toMatch(/\nInterrupted\.\n$/);
    expect(screen).not.toMatch(/✗|[⠀-⣿]/u);
    expect(raw.lastIndexOf("\u001b[?25h")).toBeGreaterThan(raw.lastIndexOf("\u001b[?25l"));
  });
});
