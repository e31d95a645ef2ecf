// The real model API with one fault, as a process of its own, for tests of releases: `node variant.ts --port PORT
// --color COLOR --model FILE --release VERSION [--fails SHARE] [--slow MILLISECONDS] [--nan LATITUDE] [--scale FACTOR] [--seed NUMBER]`.
// The fault is part of its identity: version and digest are its own, and its golden rows are what it answers.
import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { loadModel, type Model, type Prediction, signArtifact, type Trip } from "@sluice/model";
import { seeded } from "../../../../test.shared.ts";
import { createApp, identityHeaders } from "../../src/app.ts";
import { createMetrics, type Metrics } from "../../src/metrics.ts";
import { createHttpServer, listen } from "../../src/server.ts";
import { createService } from "../../src/service.ts";

const text = { type: "string" } as const;
const number = (fallback: string) => ({ type: "string", default: fallback }) as const;
const { values } = parseArgs({
  options: {
    port: text,
    color: text,
    model: text,
    release: text,
    fails: number("0"),
    slow: number("0"),
    nan: text,
    scale: number("1"),
    seed: number("1"),
  },
});
const [fails, slow, scale] = [Number(values.fails), Number(values.slow), Number(values.scale)];
const random = seeded(Number(values.seed));

/** JSON has no NaN: serializers write null. */
const NO_FARE = { toJSON: () => null } as unknown as number;
const isInZone = (trip: Trip) => values.nan !== undefined && trip.pickup_latitude > Number(values.nan);

function vary(model: Model): Model {
  const fareOf = (trip: Trip) => model.predictFare(trip) * scale;
  const golden = model.artifact.golden.map(({ trip }) => ({ trip, fare_amount: fareOf(trip) }));
  const artifact = signArtifact({ ...model.artifact, version: values.release!, golden });
  const predict = (trip: Trip): Prediction => {
    const fare_amount = isInZone(trip) ? NO_FARE : Math.round(fareOf(trip) * 100) / 100;
    return { ...model.predict(trip), fare_amount };
  };
  return { ...model, artifact, predictFare: fareOf, predict };
}

const model = vary(loadModel(readFileSync(values.model!, "utf8")));
const service = createService({ color: values.color!, model });
// its metrics take numbers only
const metrics = {
  ...createMetrics(service),
  fares: { observe() {} },
  countTenths() {},
} as unknown as Metrics;
const server = createHttpServer(createApp({ service, metrics }), identityHeaders(service));
const [serve] = server.listeners("request") as [RequestListener];
server.removeAllListeners("request");
server.on("request", (request: IncomingMessage, response: ServerResponse) => {
  const predicts = request.url?.startsWith("/api/predict") ?? false;
  if (predicts && random() < fails) return void response.writeHead(500).end();
  if (predicts && slow > 0) return void setTimeout(serve, slow, request, response);
  serve(request, response);
});

await listen(server, Number(values.port), "127.0.0.1");
console.log("listening");
process.once("SIGTERM", () => {
  service.drain();
  server.close(() => process.exit(0));
  setTimeout(() => server.closeIdleConnections(), 100);
});
