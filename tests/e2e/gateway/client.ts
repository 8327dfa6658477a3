// What the tests of the gateway know of a client.

import { join } from "node:path";
import { root } from "../../support/process.js";

/** The folder of the clients' programs. */
export const HOME = join(root, "tests/e2e/gateway/clients");

/** How a request is made. Command-line tools always stream. */
export type Mode = "turn" | "stream" | "tool";

export interface Client {
  name: string;
  /** What `npm run clients -- <name>` calls it. */
  id: string;
  version: string;
  /** The name for `--for`. */
  recipe: string;
  /** The command line of a recipe, with a prompt. */
  command(recipe: string, mode: Mode, prompt: string): string;
  /** The deployment to ask. Default `gpt-5.5`. */
  model?: string;
  /** Folders of its commands. */
  path: readonly string[];
  /** Variables that make a run of a test quiet. They do not change where requests go. */
  env?: Record<string, string>;
  /** Files in the folder where it runs. */
  files?: Record<string, string>;
  /** Whether `run` alone points it at the gateway. Codex takes no address from the environment. */
  byEnvironment: boolean;
  /** Whether it calls tools. Default true. */
  tools?: boolean;
  /** What a user should know, for the table. */
  note?: string;
  /** Installs what is not there. Throws if that is not possible here. */
  install(): void;
}

/** The command line of a program in place of `<program>` of a recipe. */
export const program =
  (start: string) =>
  (recipe: string, mode: Mode, prompt: string): string =>
    recipe.replace("<program>", `${start} ${mode} '${prompt}'`);

/** A file of the clients' folder, quoted for a shell. */
export const file = (name: string): string => `'${join(HOME, name)}'`;
