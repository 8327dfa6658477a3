// One suite for every runtime, without Node APIs. Runs the cases one after another and returns
// their results.

import { KeylessError } from "copilot-keyless/core";
import { conversation } from "./cases/conversation.js";
import { core } from "./cases/core.js";
import { credentials } from "./cases/credentials.js";
import { model } from "./cases/model.js";
import { tokens } from "./cases/tokens.js";

type Env = Readonly<Record<string, string>>;

/** The emulator's addresses, and those of the other servers. */
export interface Settings {
  /** The environment variables of a program in Azure. */
  env: Record<string, string>;
  identity: {
    url: string;
    authorityHost: string;
    clientId: string;
    tenantId: string;
    clientSecret: string;
    federatedToken: string;
  };
  /** The environments of programs on other hosts. */
  hosts: Record<"githubActions" | "sidecar" | "machineLearning" | "serviceFabric" | "identityBinding", Env>;
  /**
   * Serves pages of other origins: `GET /token` returns a token, `POST /revoke` revokes all, `POST
   * /fault` adds a fault.
   */
  control: string;
  /** A file with the federated token. */
  tokenFile: string;
  /** Folder for the files of the Copilot runtime. */
  home: string;
}

/** A case of the suite. */
export type Case = [name: string, run: (settings: Settings) => void | Promise<void>];

/** `cannot`: a KeylessError, which the caller compares with the expected one. */
export interface Result {
  name: string;
  verdict: "pass" | "cannot" | "fail";
  code?: string;
  hint?: string | undefined;
  message?: string;
}

export const CASES: readonly Case[] = [...core, ...tokens, ...credentials, ...model, ...conversation];

/** Runs the named cases, or all. */
export async function runSuite(settings: Settings, names?: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, run] of CASES.filter(([name]) => names === undefined || names.includes(name)))
    results.push({ name, ...(await outcome(run, settings)) });
  return results;
}

/** The deadline of a case, so that a hanging case fails by name. */
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
