/** The values of `--format` that are programming languages; only these take `--snippet`. */
export const LANGUAGES = ["typescript", "python", "csharp", "go", "java", "rust"] as const;

/** The values of `--format`. */
export const FORMATS = [...LANGUAGES, "env", "role"] as const;

/** The variable with the key of a service whose platform keeps secrets, such as Kubernetes. */
export const KEY_VARIABLE = "COPILOT_KEYLESS_GATEWAY_KEY";
