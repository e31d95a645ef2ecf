// Tells its parent when the first request is due, and then of each request that it is due. Timers in Node's event loop are a
// millisecond coarse; Atomics.wait is not.
import { parentPort, workerData } from "node:worker_threads";

const { spacing, total } = workerData as { spacing: number; total: number };
const never = new Int32Array(new SharedArrayBuffer(4));
const now = () => Number(process.hrtime.bigint()) / 1e6;
// Only now: a thread takes a tenth of a second to start, and what would have been due in it would all be late.
const start = now() + 10;
parentPort!.postMessage(start);
for (let i = 0; i < total; i++) {
  const rest = start + i * spacing - now();
  if (rest > 0) Atomics.wait(never, 0, 0, rest);
  parentPort!.postMessage(i);
}
