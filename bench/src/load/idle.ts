// Idle connections: `node idle.ts PORT COUNT` opens them, sends one request on each, prints `ready`, and holds them until its
// standard input ends. Then it prints how many were still open.

import { KeepAlive } from "./keep-alive.ts";
import { sourceAddress } from "./source-address.ts";

/** Connections that are being opened at once. */
const AT_ONCE = 64;

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const connections: KeepAlive[] = [];
let failures = 0;

async function openSome(): Promise<void> {
  while (connections.length < count) {
    const connection = new KeepAlive(port, sourceAddress(connections.length), () => {});
    connections.push(connection);
    const ok = await new Promise<boolean>((resolve) => connection.send(resolve));
    if (!ok) failures++;
  }
}

process.stdin.resume().on("end", () => {
  const open = connections.filter((connection) => !connection.closed).length;
  console.log(JSON.stringify({ open, failures }));
  // A reset leaves no connection in TIME_WAIT, where it would keep its port from the next contender.
  for (const { socket } of connections) socket.resetAndDestroy();
  setImmediate(() => process.exit(0));
});
await Promise.all(Array.from({ length: AT_ONCE }, openSome));
console.log("ready");
