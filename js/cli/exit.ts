/** A reader that has left, as `head` does, needs no more: that is no fault to tell. */
export function forgiveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/**
 * Ends the process when all is written. What a library has left open, such as a request of MSAL to an endpoint that hangs, would keep
 * it alive long after the last word.
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
