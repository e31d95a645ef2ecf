// A model API for the tests of deploys, as a process of its own, with the real one's options. It answers golden rows as its
// artifact says, and other trips with 10 dollars. ODD_MODEL says what is wrong with it.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";

const text = { type: "string" } as const;
const options = { host: text, port: text, color: text, model: text };
const { host, port, model, color = process.env.COLOR } = parseArgs({ options }).values;
const odd = process.env.ODD_MODEL ?? "";

interface Row {
  readonly trip: object;
  readonly fare_amount: number;
}
const artifact = JSON.parse(readFileSync(model!, "utf8"));
const golden: readonly Row[] = artifact.golden;
const fares = new Map(golden.map(({ trip, fare_amount }) => [JSON.stringify(trip), fare_amount]));
const digest = odd === "digest" ? `sha256:${"0".repeat(64)}` : artifact.digest;
const identity = {
  name: artifact.name,
  version: odd === "version" ? "9.9.9" : artifact.version,
  digest,
};

console.log(`odd model ${odd || "in order"} on ${color}`);
if (odd === "exit") {
  console.error("the model file is from another planet");
  process.exit(3);
}

let ready = odd !== "never ready";
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (!ready) response.setHeader("Connection", "close");
  response.setHeader("X-Model-Version", identity.version);
  response.setHeader("X-Model-Digest", digest);
  answer(request, response, body);
});

function answer({ url, headers }: IncomingMessage, response: ServerResponse, body: string): void {
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  };
  if (url === "/health/ready") return json(ready ? 200 : 503, { ...identity, color });
  if (url === "/model") return json(200, { ...identity, golden });
  if (url !== "/api/predict/") return json(200, { color });
  // what comes through the router names its client
  if (odd === "outside" && headers["x-forwarded-for"] !== undefined) return json(500, { detail: "odd" });
  if (odd === "hang" && headers["x-forwarded-for"] !== undefined && body.includes('"hang"')) return;
  const predictions = JSON.parse(body).data.map((trip: object) => fareOf(trip));
  const value = { predictions, model: identity, color: odd === "color" ? "mauve" : color };
  json(200, value);
}

function fareOf(trip: object): object {
  const key = JSON.stringify(trip);
  const fare = Math.round((fares.get(key) ?? 10) * 100) / 100;
  if (odd === "shape") return { fare: `$${fare}` };
  if (odd === "golden" && key === JSON.stringify(golden[7]!.trip)) return { fare_amount: fare + 0.01 };
  return { fare_amount: fare };
}

server.keepAliveTimeout = 80_000;
server.listen(Number(port), host, () => console.log("listening"));
process.once("SIGTERM", () => {
  ready = false;
  server.close(() => process.exit(0));
  setTimeout(() => server.closeIdleConnections(), 100);
});
