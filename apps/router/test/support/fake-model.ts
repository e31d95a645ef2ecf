// A model service for tests, as a process of its own: `node fake-model.ts PORT COLOR [MILLISECONDS]`.
// Answers after a fixed time, says its color, and stops as a well-behaved server does.
import { createServer } from "node:http";

const [port, color, delay = "0"] = process.argv.slice(2) as [string, string, string?];
let ready = true;

const server = createServer({ keepAliveTimeout: 80_000 }, (request, response) => {
  if (!ready) response.setHeader("Connection", "close");
  if (request.url?.startsWith("/health")) {
    response.statusCode = ready ? 200 : 503;
    response.end();
    return;
  }
  request.resume();
  request.on("end", () => {
    setTimeout(() => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ color, method: request.method, url: request.url }));
    }, Number(delay));
  });
});

server.listen(Number(port), "127.0.0.1", () => console.log(`listening ${color}`));
process.once("SIGTERM", () => {
  ready = false;
  server.close(() => process.exit(0));
});
