import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KeylessError } from "copilot-keyless";
import type { GatewayBackend, GatewayOptions } from "copilot-keyless/gateway";
import { parse as parseToml, TomlError } from "smol-toml";
import { didYouMean } from "../errors/nearest.js";
import { jsonLines, lineOf, tomlLines } from "./locate.js";
import { type Fault, faultOf, type Schema } from "./schema.js";

/** What a file may hold: the options of `createGateway` that are plain data. */
interface ConfigFile extends Shared {
  port?: number;
  host?: string;
  keyFile?: string;
  allowHosts?: string[];
  allowOrigins?: string[];
  log?: "text" | "json" | "none";
  endpoint?: string;
  model?: string;
  deployment?: string;
  backends?: (Shared & Omit<GatewayBackend, keyof Shared>)[];
  limits?: GatewayOptions["limits"];
}

/** Settings of the gateway and of a backend. */
interface Shared {
  scope?: string;
  credential?: "direct";
  headers?: Record<string, string>;
  env?: Record<string, string>;
}

/** The settings of a file. */
export interface GatewayConfig {
  options: GatewayOptions;
  log: "text" | "json" | "none";
}

/** Reads a file with settings of the gateway. Throws `gateway/config`, with the line of the fault. */
export function readGatewayConfig(file: string): GatewayConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new KeylessError("gateway/config", `The file ${file} cannot be read`, {
      hint: "Check its path and who may read it.",
      cause,
    });
  }
  const schema: Schema = JSON.parse(
    readFileSync(new URL("../../schema/gateway.json", import.meta.url), "utf8"),
  );
  return parseGatewayConfig(text, file, schema, process.env);
}

/** {@link readGatewayConfig} of a text. JSON, unless the file's name ends in `.toml`. */
export function parseGatewayConfig(
  text: string,
  file: string,
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): GatewayConfig {
  const isToml = file.toLowerCase().endsWith(".toml");
  const value = isToml ? toml(text, file) : json(text, file);
  const fault = faultOf(value, schema);
  if (fault) throw faultError(fault, file, isToml ? tomlLines(text) : jsonLines(text));
  const { $schema, log = "text", keyFile, backends, ...rest } = value as ConfigFile & { $schema?: string };
  return {
    log,
    options: {
      ...shared(rest, env),
      ...(keyFile === undefined ? {} : { keyFile: resolve(dirname(file), keyFile) }),
      ...(backends ? { backends: backends.map((one) => shared(one, env)) } : {}),
    },
  };
}

/** Adds the environment to the variables of a file. */
function shared<T extends Shared>(settings: T, env: Readonly<Record<string, string | undefined>>) {
  return settings.env === undefined ? settings : { ...settings, env: { ...env, ...settings.env } };
}

function toml(text: string, file: string): unknown {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The message goes on with an excerpt, which may hold a secret.
    const reason = cause.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
    throw syntaxError(file, cause.line, reason ?? "", "TOML");
  }
}

function json(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    const before = text.slice(0, position === undefined ? text.length : Number(position));
    throw syntaxError(file, before.split("\n").length, "unexpected character or end", "JSON");
  }
}

function syntaxError(file: string, line: number, reason: string, format: string): KeylessError {
  return new KeylessError("gateway/config", `${file}:${line}: ${reason}`, {
    hint: `The file is read as ${format}${format === "JSON" ? "; name it .toml if it is TOML" : ""}.`,
  });
}

function faultError({ path, problem, names }: Fault, file: string, lines: Map<string, number>): KeylessError {
  const line = lineOf(path, lines);
  const name = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  const place = line === undefined ? file : `${file}:${line}`;
  const guess = names ? didYouMean(String(path.at(-1)), names) : "";
  return new KeylessError("gateway/config", `${place}: ${name.replace(/^\./, "") || "the file"} ${problem}`, {
    hint: names
      ? `${guess}The names here are ${names.filter((one) => one !== "$schema").join(", ")}.`
      : "See schema/gateway.json of this package.",
  });
}
