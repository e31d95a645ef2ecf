// A small JSON answer, where nginx is not installed: `node upstream.ts PORT`.
import { createServer } from "node:http";

const body = '{"predictions":[{"fare_amount":11.36}]}';
const headers = { "Content-Type": "application/json", "Content-Length": body.length };
createServer((_request, response) => response.writeHead(200, headers).end(body)).listen(
  Number(process.argv[2]),
  "127.0.0.1",
);
