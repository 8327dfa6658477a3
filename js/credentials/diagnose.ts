import { causes, httpStatus, type Loose } from "../errors/causes.js";
import { anything, type Checks, finite, object, readOptions } from "../errors/check.js";
import { hideSecretsOf, redact } from "../errors/redact.js";
import { textOf } from "../errors/text-of.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { callCore } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { PlainCredentialFailure } from "../wasm/modules/explain.js";
import type { CredentialDiagnosis, FailedCredential } from "../wasm/types/credential-diagnosis.js";

/**
 * Explains why a credential gave no token, and how to fix it: reads errors of `@azure/identity`,
 * MSAL and their siblings for other languages, the output of `az`, `azd` and Azure PowerShell, and
 * the responses of Entra and of managed identity endpoints. The error of a chain is told link by
 * link. The result holds no token and no secret.
 *
 * @throws KeylessError `diagnosis/invalid` if a field has a wrong type
 * @example
 * ```ts
 * try {
 *   await new DefaultAzureCredential().getToken("https://ai.azure.com/.default");
 * } catch (error) {
 *   const { code, cause, fixes, links } = diagnoseCredential({ error });
 *   // "not-signed-in", "Of 7 credentials that were tried, ...", ["Sign in:\naz login", ...]
 * }
 * ```
 */
export function diagnoseCredential(failure: FailedCredential): CredentialDiagnosis {
  const { error, status, body, env = environment() } = readOptions(failure, CHECKS, "diagnosis/invalid");
  const diagnosis = callCore(() =>
    explainModule().diagnoseCredential(hideSecretsAndRead(error, { status, body, env })),
  );
  // The core quotes checked values only; this also removes the known secrets.
  return { ...diagnosis, cause: redact(diagnosis.cause), fixes: diagnosis.fixes.map(redact) };
}

const CHECKS: Checks<FailedCredential> = { error: anything, status: finite, body: anything, env: object };

/** How many errors of a chain are read. Real chains have ten. */
const MAX_LINKS = 100;

/** How much of an error with its causes is read, in UTF-16 units. Real errors have a few KB. */
const MAX_TEXT = 65_536;

/** What is known besides the error. */
interface Circumstances {
  status?: number | undefined;
  body?: unknown;
  env?: Environment | undefined;
}

/** Reads an error for the core. From now on, the secrets of `env` are hidden in all errors. */
export function hideSecretsAndRead(
  thrown: unknown,
  { status, body, env = environment() }: Circumstances,
): PlainCredentialFailure {
  // Before anything else: the error may quote them.
  hideSecretsOf(env);
  const chain = causesOf(thrown);
  const found =
    status ?? chain.map((error) => readable(() => httpStatus(error))).find((one) => one !== undefined);
  return {
    error: describeAll(chain, thrown),
    errors: linksOf(chain),
    status: Number.isInteger(found) && (found as number) >= 0 && (found as number) <= 999 ? found : undefined,
    body: body === undefined || body === null ? undefined : cut(textOf(body) ?? ""),
    env: coreEnvironment(env),
  };
}

/** Returns the texts of the errors of a chain, each with its causes. */
function linksOf(chain: Loose[], seen = new Set<unknown>(), texts: string[] = []): string[] {
  const owner = chain.find((error) => errorsOf(error).length > 1);
  // A getter may make new errors whenever it is read.
  if (owner === undefined || seen.has(owner) || seen.size >= MAX_LINKS) return texts;
  seen.add(owner);
  for (const inner of errorsOf(owner)) {
    if (texts.length >= MAX_LINKS) break;
    const withCauses = causesOf(inner);
    const before = texts.length;
    linksOf(withCauses, seen, texts);
    if (texts.length === before) texts.push(describeAll(withCauses, inner));
  }
  return texts;
}

function errorsOf(error: Loose): unknown[] {
  return readable(() => (Array.isArray(error.errors) ? error.errors.slice(0, MAX_LINKS) : [])) ?? [];
}

/** Returns an error and its causes, up to the first that cannot be read. */
function causesOf(thrown: unknown): Loose[] {
  const chain: Loose[] = [];
  readable(() => {
    for (const error of causes(thrown)) chain.push(error);
  });
  return chain;
}

/** Returns what errors say, a line or more each; `thrown` is what they were read from. */
function describeAll(chain: Loose[], thrown: unknown): string {
  if (chain.length === 0) return cut(readable(() => textOf(thrown)) ?? "");
  const texts: string[] = [];
  let length = 0;
  for (const error of chain) {
    const text = readable(() => describe(error)) ?? "";
    texts.push(text);
    length += text.length;
    if (length >= MAX_TEXT) break;
  }
  return cut(texts.join("\n"));
}

/** Returns what an error says: its name and message, and the codes and the response in it. */
function describe(error: Loose): string {
  const { name, message, code, errorCode, errorMessage, subError, errorResponse, error: inner } = error;
  // Codes of this library would be taken for words of the error.
  const ownCode = typeof code === "string" && code.includes("/");
  const texts = [ownCode ? undefined : code, errorCode, errorMessage, subError, inner].filter(
    (value): value is string => typeof value === "string" && !String(message).includes(value),
  );
  const response = typeof errorResponse === "object" ? textOf(errorResponse) : undefined;
  const own =
    typeof message === "string" ? `${typeof name === "string" ? `${name}: ` : ""}${cut(message)}` : undefined;
  const all = [own ?? textOf(error) ?? "", ...texts, ...(response === undefined ? [] : [response])];
  return cut(all.map(cut).join("\n"));
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT);
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // A getter of the error throws.
    return undefined;
  }
}
