import type { CredentialDiagnosisCode } from "../../errors/codes.js";

/** A failure to get a token: the input of {@link diagnoseCredential}. Give what you have. */
export interface FailedCredential {
  /**
   * What the credential threw: an error with its causes and the errors of a chain, or a text, such
   * as the output of a command or a log.
   */
  error?: unknown;
  /** The HTTP status of the identity endpoint. Default: that of the error. */
  status?: number | undefined;
  /** The body of its response, as text or parsed. */
  body?: unknown;
  /**
   * The environment of the program that failed. It names tenant and client id, and tells which
   * credential of a chain was meant. Default `process.env`.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Explains why a credential gave no token. docs/reference/errors.md lists the codes. */
export interface CredentialDiagnosis {
  /** A stable code, such as `not-signed-in`; `unknown` if no cause fits. */
  code: CredentialDiagnosisCode;
  /** A short title. */
  title: string;
  /** The cause, with the ids that the error or the response names. */
  cause: string;
  /**
   * Fixes, the likeliest first. Commands are on lines of their own; they name the client id and
   * tenant of `env`, else placeholders such as `<client-id>`.
   */
  fixes: string[];
  /** Entra's error numbers (`AADSTS...`), such as 7000222. */
  aadsts: number[];
  /** Whether the same request may succeed later, without any change. */
  retryable: boolean;
  /** The credential that the diagnosis is about, such as `AzureCliCredential`. */
  credential?: string;
  /** The HTTP status, if it is known. */
  status?: number;
  /** The credentials that a chain tried, the closest to a token first. Empty without a chain. */
  links: CredentialLink[];
}

/** A credential of a chain, and what it lacked. */
export interface CredentialLink {
  /** The credential, such as `AzureCliCredential`. */
  credential: string;
  code: CredentialDiagnosisCode;
  /** What it lacked, in a few words. */
  text: string;
}
