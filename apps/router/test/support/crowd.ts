// Many clients in a process of their own: `node crowd.ts PORT COUNT`. Each connects, sends a part of a request or nothing,
// and stays. Says when all are connected, and how many the other side has closed.
import { connect } from "node:net";

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const PARTS = [
  "",
  "GET / HTTP/1.1\r\nHo",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];
const AT_ONCE = 200;

let begun = 0;
let connected = 0;
let closed = 0;

function next(): void {
  if (begun === count) return;
  const part = PARTS[begun++ % PARTS.length]!;
  const socket = connect({ port, host: "127.0.0.1" }, () => {
    if (++connected === count) console.log(`connected ${connected}`);
    if (part !== "") socket.write(part);
    next();
  });
  socket.resume();
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EMFILE") throw error;
  });
  socket.on("close", () => console.log(`closed ${++closed}`));
}

for (let i = 0; i < AT_ONCE; i++) next();
