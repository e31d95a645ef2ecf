// Large bodies: `node bodies.ts PORT`. GET /bytes/N answers with N bytes, PUT takes what it gets and says how much, and
// anything else gets a small answer.
import { createServer, type ServerResponse } from "node:http";

const PIECE = Buffer.alloc(256 * 1024, "x");

createServer((request, response) => {
  const wanted = /^\/bytes\/(\d+)$/.exec(request.url ?? "")?.[1];
  if (wanted !== undefined) return send(response, Number(wanted));
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    const body = String(bytes);
    response.writeHead(200, { "Content-Length": body.length }).end(body);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");

function send(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": bytes });
  let rest = bytes;
  const more = () => {
    for (let flows = true; flows && rest > 0; ) {
      const size = Math.min(rest, PIECE.length);
      rest -= size;
      flows = response.write(PIECE.subarray(0, size));
    }
    if (rest === 0) response.end();
  };
  response.on("drain", more);
  more();
}
