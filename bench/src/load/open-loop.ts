// Open-loop load: `node open-loop.ts PORT RATE SECONDS CONNECTIONS` sends at a fixed rate whether or not answers come, and
// prints what each request took from the moment at which it was due, so that a slow answer hides no other (no
// coordinated omission). A request that finds all connections busy gets a new one.
import { Worker } from "node:worker_threads";
import { quantile } from "../statistics.ts";
import { KeepAlive } from "./keep-alive.ts";

const [port, rate, seconds, connections] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
const total = rate * seconds;
const spacing = 1000 / rate;
/** Milliseconds after the last request was due, for answers that are still to come. */
const PATIENCE = 10_000;
/** Milliseconds from due to sent, and from due to answered, per request. */
const late = new Float64Array(total);
const took = new Float64Array(total).fill(Number.NaN);
const idle: KeepAlive[] = [];
let opened = 0;
let failures = 0;
let left = total;

const now = () => Number(process.hrtime.bigint()) / 1e6;

function open(): KeepAlive {
  opened++;
  return new KeepAlive(port, undefined, () => {});
}

function nextIdle(): KeepAlive {
  // First in, first out, so that all of them are used.
  for (let next = idle.shift(); next !== undefined; next = idle.shift()) if (!next.closed) return next;
  return open();
}

function send(i: number, due: number): void {
  const connection = nextIdle();
  late[i] = now() - due;
  connection.send((ok) => {
    took[i] = now() - due;
    if (!ok) failures++;
    if (!connection.closed) idle.push(connection);
    if (--left === 0) finish();
  });
}

function finish(): void {
  for (let i = 0; i < total; i++) {
    if (!Number.isNaN(took[i]!)) continue;
    took[i] = now() - (start + i * spacing); // it would have taken longer still
    failures++;
  }
  const numbers = {
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    most: quantile(took, 1),
    lateP99: quantile(late, 0.99),
    opened,
    failures,
  };
  console.log(JSON.stringify(numbers));
  process.exit(0);
}

for (let i = 0; i < connections; i++) {
  const connection = open();
  await new Promise<void>((resolve) => connection.send(() => resolve()));
  idle.push(connection);
}
const pacer = new Worker(new URL("./pacer.ts", import.meta.url), { workerData: { spacing, total } });
let start = 0;
pacer.once("message", (first: number) => {
  start = first;
  setTimeout(finish, total * spacing + PATIENCE);
  pacer.on("message", (i: number) => send(i, start + i * spacing));
});
