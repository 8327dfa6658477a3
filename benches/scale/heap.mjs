import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** The bytes of the heap that are in use, after everything else was collected. */
export function heapBytes() {
  for (let round = 0; round < 4; round += 1) collect();
  return process.memoryUsage().heapUsed;
}
