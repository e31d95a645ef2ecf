// Tells its parent when each request is due. Timers in Node's event loop are a millisecond coarse; Atomics.wait is not.
import { parentPort, workerData } from "node:worker_threads";

const { start, spacing, total } = workerData as { start: number; spacing: number; total: number };
const never = new Int32Array(new SharedArrayBuffer(4));
const now = () => Number(process.hrtime.bigint()) / 1e6;

for (let i = 0; i < total; i++) {
  const rest = start + i * spacing - now();
  if (rest > 0) Atomics.wait(never, 0, 0, rest);
  parentPort!.postMessage(i);
}
