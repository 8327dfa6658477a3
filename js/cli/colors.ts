import pc from "picocolors";

/** Colours on a terminal only, stream by stream; picocolors alone would also colour what CI captures. */
const colors = (stream: NodeJS.WriteStream) =>
  pc.createColors(stream.isTTY === true && !process.env.NO_COLOR);

/** For standard output. */
export const out = colors(process.stdout);

/** For standard error. */
export const err = colors(process.stderr);
