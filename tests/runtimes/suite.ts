// One suite for every runtime: nothing in it belongs to Node. It runs the cases one after another and tells what came of each.

import { KeylessError } from "copilot-keyless/core";
import { conversation } from "./cases/conversation.js";
import { core } from "./cases/core.js";
import { credentials } from "./cases/credentials.js";
import { model } from "./cases/model.js";
import { tokens } from "./cases/tokens.js";

/** The emulator, and the servers besides it. */
export interface Settings {
  /** The environment of a program in Azure. */
  env: Record<string, string>;
  identity: {
    url: string;
    authorityHost: string;
    clientId: string;
    tenantId: string;
    clientSecret: string;
    federatedToken: string;
  };
  /** Answers pages of other origins: `GET /token` gives a token, `POST /revoke` takes all back, `POST /fault` adds a fault. */
  control: string;
  /** A file with the federated token. */
  tokenFile: string;
  /** Folder for the files of the Copilot runtime. */
  home: string;
}

/** A case of the suite. */
export type Case = [name: string, run: (settings: Settings) => void | Promise<void>];

/** `cannot`: it was refused with an error of this package, which the caller finds expected or not. */
export interface Result {
  name: string;
  verdict: "pass" | "cannot" | "fail";
  code?: string;
  hint?: string | undefined;
  message?: string;
}

export const CASES: readonly Case[] = [...core, ...tokens, ...credentials, ...model, ...conversation];

/** Runs the cases of these names; all if none are given. */
export async function runSuite(settings: Settings, names?: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, run] of CASES.filter(([name]) => names === undefined || names.includes(name)))
    results.push({ name, ...(await outcome(run, settings)) });
  return results;
}

/** The deadline of a case, so that one that hangs fails by its name. */
const PATIENCE_MS = 90_000;

async function outcome(run: Case[1], settings: Settings): Promise<Omit<Result, "name">> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("It hangs")), PATIENCE_MS);
  });
  try {
    await Promise.race([run(settings), late]);
    return { verdict: "pass" };
  } catch (error) {
    if (error instanceof KeylessError) {
      const { code, hint, message } = error;
      return { verdict: "cannot", code, hint, message };
    }
    return { verdict: "fail", message: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
