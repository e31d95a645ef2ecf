// One large body: `node transfer.ts PORT get|put BYTES` prints how many seconds it took. It reads and writes the socket
// itself, into and out of one buffer, because it shares its core with the upstream and should not be the bound.
import { connect } from "node:net";

const [port, direction, size] = process.argv.slice(2) as [string, "get" | "put", string];
const bytes = Number(size);
const PIECE = Buffer.alloc(256 * 1024, "x");
const started = performance.now();
const upload = direction === "put";
/** The answer's head and what came with it; of an upload all of the answer, which says how much arrived. */
let text = "";
/** Bytes of the answer's body that are still to come, once its head is whole. */
let left: number | undefined;

const socket = connect({
  host: "127.0.0.1",
  port: Number(port),
  noDelay: true,
  onread: {
    buffer: Buffer.allocUnsafeSlow(PIECE.length),
    callback: (length, buffer) => {
      receive(length, buffer as Buffer);
      return true;
    },
  },
});
socket.on("error", (error) => fail(error.message));
socket.on("close", () => fail(`closed early, after ${text.split("\r\n")[0]}`));
const line = upload ? `PUT / HTTP/1.1\r\nContent-Length: ${bytes}` : `GET /bytes/${bytes} HTTP/1.1`;
socket.write(`${line}\r\nHost: 127.0.0.1\r\n\r\n`);
if (upload) send();

function send(): void {
  let rest = bytes;
  const more = () => {
    for (let flows = true; flows && rest > 0; ) {
      const part = Math.min(rest, PIECE.length);
      rest -= part;
      flows = socket.write(PIECE.subarray(0, part));
    }
  };
  socket.on("drain", more);
  more();
}

function receive(length: number, buffer: Buffer): void {
  if (left === undefined) return readHead(buffer.toString("latin1", 0, length));
  if (upload) text += buffer.toString("latin1", 0, length);
  left -= length;
  if (left === 0) finish();
}

function readHead(part: string): void {
  text += part;
  const end = text.indexOf("\r\n\r\n") + 4;
  if (end < 4) return;
  const stated = /\r\ncontent-length: *(\d+)\r\n/i.exec(text)?.[1];
  if (!text.startsWith("HTTP/1.1 200 ") || stated === undefined) fail(text.slice(0, end));
  left = Number(stated) - (text.length - end);
  if (left === 0) finish();
}

function finish(): void {
  if (upload && Number(text.split("\r\n\r\n")[1]) !== bytes) fail(`not all arrived: ${text}`);
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000 }));
  process.exit(0);
}

function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}
