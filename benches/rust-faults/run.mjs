// Builds the programs, and plays all cells, some at a time.

import { once, setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { runStep } from "../../scripts/steps.mjs";
import { createContainer, startAzurite, storageToken } from "../../tests/support/azurite.mjs";
import { CLIENTS } from "./catalogue.mjs";
import { runCell } from "./cell.mjs";
import { summaryOf } from "./judge.mjs";

/** Cells that run at once. They mostly wait. */
const AT_ONCE = 12;

/** Compiles the programs. Returns the file. */
export async function compile() {
  const manifest = join(import.meta.dirname, "Cargo.toml");
  await runStep("the clients of Azure", `cargo build --locked --quiet --manifest-path ${manifest}`);
  const target = process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, "target");
  return join(target, "debug/copilot-keyless-rust-faults");
}

/** Runs some faults with every client. `onCell` receives each finished cell. */
export async function runFaults(
  faults,
  { binary, clients = Object.keys(CLIENTS), ours = false, signal, onCell },
) {
  // Every running cell adds a listener.
  if (signal) setMaxListeners(0, signal);
  const azurite = await startAzurite();
  try {
    await fill(azurite);
    const todo = faults.flatMap((fault) =>
      clients.flatMap((client) =>
        CLIENTS[client]
          .filter((tokens) => !ours || tokens.startsWith("copilot-keyless"))
          .map((tokens) => ({ fault, client, tokens })),
      ),
    );
    const rows = new Array(todo.length);
    const next = todo.entries();
    const work = async () => {
      for (const [n, { fault, client, tokens }] of next) {
        if (signal?.aborted) return;
        const ended = await runCell({ fault, client, tokens, binary, azurite, signal });
        rows[n] = { fault: fault.id, client, tokens, ...summaryOf(ended, fault) };
        onCell?.(rows[n]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return rows;
  } finally {
    await azurite.stop();
  }
}

/** Describes the machine and the versions. */
export function machine() {
  const lock = readFileSync(join(import.meta.dirname, "Cargo.lock"), "utf8");
  const crates = [...Object.keys(CLIENTS).filter((name) => name !== "tower"), "azure_core", "azure_identity"];
  const version = (name) => new RegExp(`name = "${name}"\nversion = "(.*)"`).exec(lock)[1];
  return {
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    versions: Object.fromEntries([...crates, "tower"].map((name) => [name, version(name)])),
  };
}

/** Writes the blob that the programs read. */
async function fill(azurite) {
  await createContainer(azurite, "faults");
  const text = "Hello";
  const sent = request({
    host: "localhost",
    port: azurite.port,
    ca: azurite.cert,
    path: "/devstoreaccount1/faults/blob.txt",
    method: "PUT",
    headers: {
      authorization: `Bearer ${storageToken()}`,
      "x-ms-version": "2024-11-04",
      "x-ms-blob-type": "BlockBlob",
      "content-length": text.length,
    },
  }).end(text);
  const [answer] = await once(sent, "response");
  answer.resume();
  if (answer.statusCode !== 201) throw new Error(`Azurite did not take the blob: ${answer.statusCode}`);
}
