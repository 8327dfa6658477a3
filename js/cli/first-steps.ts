import { installCommand, missingPackages } from "./missing-packages.js";

/** Returns what to try first, and what to install before. */
export function firstSteps(): string {
  const missing = missingPackages();
  const install = missing.length === 0 ? [] : [["Install what a chat needs", installCommand(missing)]];
  const steps = [
    ...install,
    ["Chat without Azure", "npx copilot-keyless chat --demo"],
    ["Check your setup", "npx copilot-keyless doctor"],
  ];
  return `\nFirst steps:\n${steps.map(([title, command]) => `  ${title?.padEnd(27)}${command}`).join("\n")}`;
}
