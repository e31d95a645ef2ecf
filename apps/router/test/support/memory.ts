import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** The process's memory without what is garbage already. */
export function memoryInUse(): NodeJS.MemoryUsage {
  collect();
  return process.memoryUsage();
}
