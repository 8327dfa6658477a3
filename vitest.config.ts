import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // A process per file: @azure/identity keeps its managed identity and its tokens per process.
    pool: "forks",
    // A rejection that nobody handles fails the run, wherever it comes from.
    execArgv: ["--unhandled-rejections=strict"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A browser on a busy machine is slower than the default of one second.
    expect: { poll: { timeout: 15_000 } },
  },
});
