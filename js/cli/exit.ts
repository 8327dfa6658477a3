/** Ignores a reader that closes the pipe early, as `head` does. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/**
 * Ends the process when all output is written. Otherwise a request that a library left open, such
 * as one of MSAL to an endpoint that hangs, would keep it alive.
 */
export async function exit(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(drained));
  process.exit(code);
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (!stream.writable) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
