import { type ClientReadableStream, type StatusObject, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { call, HealthClient, type Running, startGrpc } from "./support/grpc.ts";

const started: Running[] = [];

async function start(options = {}): Promise<Running> {
  const running = await startGrpc(options);
  started.push(running);
  return running;
}

afterEach(() => {
  for (const running of started.splice(0)) running.stop();
});

const SERVICES = ["", "inference.GRPCInferenceService"];
const DRAIN = { delay: 5000, quiet: 0, timeout: 20_000 };

type Watch = (request: object) => ClientReadableStream<{ status: string }>;

function watch(running: Running, service: string) {
  const client = running.client(HealthClient) as unknown as { Watch: Watch };
  const stream = client.Watch({ service });
  const messages: string[] = [];
  stream.on("error", () => undefined);
  stream.on("data", ({ status }) => messages.push(status));
  const next = async () => {
    while (messages.length === 0) await new Promise(setImmediate);
    return messages.shift();
  };
  const ended = new Promise<StatusObject>((resolve) => stream.once("status", resolve));
  return { stream, next, ended };
}

describe("grpc.health.v1", () => {
  it.each(SERVICES)("says SERVING of %j, and NOT_SERVING while the server ends", async (service) => {
    const running = await start();
    const client = running.client(HealthClient);
    expect((await call(client, "Check", { service })).value).toEqual({ status: "SERVING" });
    running.service.drain();
    expect((await call(client, "Check", { service })).value).toEqual({ status: "NOT_SERVING" });
  });

  it.each(SERVICES)("says NOT_SERVING of %j without a model", async (service) => {
    const running = await start({ model: false });
    const { value } = await call(running.client(HealthClient), "Check", { service });
    expect(value).toEqual({ status: "NOT_SERVING" });
  });

  it("is NOT_FOUND for a service that nobody knows", async () => {
    const running = await start();
    const { error } = await call(running.client(HealthClient), "Check", { service: "x.Y" });
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'Service "x.Y" is unknown.' });
  });

  it("lists what it knows", async () => {
    const { value } = await call((await start()).client(HealthClient), "List");
    expect(value.statuses).toEqual(Object.fromEntries(SERVICES.map((name) => [name, { status: "SERVING" }])));
  });

  it.each(SERVICES)(
    "tells who watches %j of the change, and ends the watch with the server",
    async (service) => {
      const running = await start();
      const { next, ended } = watch(running, service);
      expect(await next()).toBe("SERVING");
      const ending = running.server.end({ ...DRAIN, quiet: 50 });
      expect(await next()).toBe("NOT_SERVING");
      const { code, details } = await ended;
      expect([code, details]).toEqual([status.UNAVAILABLE, "The server is shutting down."]);
      expect(await ending).toBe("drained");
    },
  );

  it("answers a watch of an unknown service with SERVICE_UNKNOWN and goes on", async () => {
    const running = await start();
    const { stream, next, ended } = watch(running, "x.Y");
    expect(await next()).toBe("SERVICE_UNKNOWN");
    running.service.drain();
    stream.cancel();
    expect((await ended).code).toBe(status.CANCELLED);
  });

  it("carries many watchers at once, and forgets those that leave", async () => {
    const running = await start();
    const watchers = Array.from({ length: 50 }, () => watch(running, ""));
    for (const { next } of watchers) expect(await next()).toBe("SERVING");
    for (const { stream } of watchers) stream.cancel();
    const inFlight = async () =>
      Number(/requests_in_flight (\d+)/.exec(await (await fetch(`${running.url}/metrics`)).text())?.[1]);
    while ((await inFlight()) > 1) await new Promise(setImmediate);
  });
});
