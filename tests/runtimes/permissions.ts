// The permissions that each feature needs in Deno. docs/reference/runtimes.md lists them.

import { dirname } from "node:path";
import type { Settings } from "./suite.js";

const FILE = /in a file$/;
const IDENTITY = /^`@azure\/identity`/;
const SDK = /^Copilot SDK/;

export const DENO = ({ tokenFile }: Settings) => [
  {
    permissions: ["--allow-net"],
    cases: (name: string) => ![FILE, IDENTITY, SDK].some((pattern) => pattern.test(name)),
  },
  {
    permissions: ["--allow-net", `--allow-read=${dirname(tokenFile)}`],
    cases: (name: string) => FILE.test(name),
  },
  {
    permissions: ["--allow-net", "--allow-env", "--allow-read", "--allow-sys"],
    cases: (name: string) => IDENTITY.test(name),
  },
  {
    permissions: ["--allow-net", "--allow-env", "--allow-read", "--allow-sys", "--allow-run"],
    cases: (name: string) => SDK.test(name),
  },
];
