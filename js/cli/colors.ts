import pc from "picocolors";

/**
 * Enables colours per stream, on a terminal only. By default picocolors also colours the output of
 * CI.
 */
const colors = (stream: NodeJS.WriteStream) =>
  pc.createColors(stream.isTTY === true && !process.env.NO_COLOR);

/** For standard output. */
export const out = colors(process.stdout);

/** For standard error. */
export const err = colors(process.stderr);
