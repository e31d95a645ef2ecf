// A small JSON answer, where nginx is not installed: `node small.ts PORT [IDENTITY]`.
import { createServer } from "node:http";

const body = '{"predictions":[{"fare_amount":11.36}]}';
const identity = process.argv[3];
const headers = {
  "Content-Type": "application/json",
  "Content-Length": body.length,
  ...(identity ? { "X-Model-Version": identity, "X-Model-Digest": identity } : {}),
};
createServer((_request, response) => response.writeHead(200, headers).end(body)).listen(
  Number(process.argv[2]),
  "127.0.0.1",
);
