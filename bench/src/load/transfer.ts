// One large body: `node transfer.ts PORT get|put BYTES` prints how many seconds it took.
import { type IncomingMessage, request } from "node:http";

const [port, direction, size] = process.argv.slice(2) as [string, "get" | "put", string];
const bytes = Number(size);
const PIECE = Buffer.alloc(256 * 1024, "x");
const started = performance.now();

const upload = direction === "put";
const outgoing = request({
  host: "127.0.0.1",
  port: Number(port),
  method: upload ? "PUT" : "GET",
  path: upload ? "/" : `/bytes/${bytes}`,
  headers: upload ? { "Content-Length": bytes } : {},
});
outgoing.on("response", receive);
outgoing.on("error", (error) => fail(error.message));
if (upload) send();
else outgoing.end();

function send(): void {
  let rest = bytes;
  const more = () => {
    for (let flows = true; flows && rest > 0; ) {
      const part = Math.min(rest, PIECE.length);
      rest -= part;
      flows = outgoing.write(PIECE.subarray(0, part));
    }
    if (rest === 0) outgoing.end();
  };
  outgoing.on("drain", more);
  more();
}

function receive(response: IncomingMessage): void {
  let received = 0;
  let text = "";
  response.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (upload) text += chunk;
  });
  response.on("end", () => {
    const arrived = upload ? Number(text) : received;
    if (response.statusCode !== 200 || arrived !== bytes) {
      fail(`status ${response.statusCode}, ${arrived} of ${bytes} bytes`);
    }
    console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000 }));
    process.exit(0);
  });
  response.on("error", (error) => fail(error.message));
}

function fail(reason: string): never {
  console.error(reason);
  process.exit(1);
}
