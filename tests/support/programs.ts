// Providers and texts for the tests of the programs that `config --format` prints.

/** Options of providers whose programs differ. */
export const PROVIDERS = {
  "a model": { model: "gpt-5.5" },
  "a deployment of another name": { model: "gpt-5.5", deployment: "team-gpt" },
  "chat completions, with limits": {
    model: "gpt-5.5",
    wireApi: "completions",
    maxPromptTokens: 9_000,
    maxOutputTokens: 900,
  },
  "a dated API": { model: "gpt-5.5", apiVersion: "2025-04-01-preview" },
  "another scope": { model: "gpt-5.5", scope: "api://0f2b1c0a-0000-4000-8000-000000000001/.default" },
  "long names": {
    endpoint: `https://${"a-long-name-".repeat(5)}x.services.ai.azure.com/api/projects/${"p".repeat(64)}`,
    model: "m".repeat(60),
    deployment: "d".repeat(128),
    scope: "api://0f2b1c0a-0000-4000-8000-000000000001/with-a-path-that-is-too-long/.default",
  },
  "no scope": { endpoint: "https://models.example.com/v1", model: "gpt-5.5" },
} as const;

/** Texts that a careless quotation changes, or that break the program. */
export const ODD_TEXTS = [
  "team/gpt-5.5:eu@1+x",
  'a "quoted" name',
  "back\\slash \\n \\u0041",
  "$" + "{dollar} #{hash} {brace} %s $name `tick`",
  "'single' // not a comment # nor this",
  "line\nbreak\r\nand\ttab",
  "\u0000\b\f\u001b\u007f",
  "\u0085\u2028\u2029",
  "é, ü, 模型, 😀",
];
