import { once } from "node:events";
import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { type EchoService, echoClient, grpcEcho } from "../../../../test/support/grpc-echo.ts";
import { http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { type PlaneOptions, TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";
import { refusedPort, upstream } from "../../../../test/support/upstream.ts";

const open = closing();
const { retry } = TEST_CONFIG;
const UNARY = "/test.Echo/Unary";

describe.each(ENGINES)("gRPC calls through the router ($name)", ({ create }) => {
  async function scene(services: readonly EchoService[] = [{}], options: PlaneOptions = {}) {
    const targets = await Promise.all(services.map(async (service) => open(await grpcEcho(service))));
    const urls = targets.map(({ url }) => url);
    const router = open(await testRouter({ blue: { weight: 1, targets: urls } }, options, create));
    return { router, targets, calls: open(echoClient(router.port)) };
  }
  const grpcCounts = (router: { plane: { report(): { colors: object } } }, color = "blue") =>
    (router.plane.report().colors as Record<string, { grpc: object }>)[color]!.grpc;

  it("works for all four kinds", async () => {
    const { calls, router } = await scene();
    expect((await calls.unary("hello")).value?.toString()).toBe("hello");
    const uploaded = new Promise((resolve) => {
      const upload = calls.raw.upload((_error: unknown, value: Buffer) => resolve(value.toString()));
      for (const part of ["a", "b", "c"]) upload.write(Buffer.from(part));
      upload.end();
    });
    expect(await uploaded).toBe("abc");
    const letters: string[] = [];
    const download = calls.raw.download(Buffer.from("xyz"));
    download.on("data", (message: Buffer) => letters.push(message.toString()));
    await once(download, "end");
    expect(letters).toEqual(["x", "y", "z"]);
    const talk = calls.raw.talk();
    for (const word of ["one", "two", "three"]) {
      talk.write(Buffer.from(word));
      const [answer] = await once(talk, "data"); // each is answered before the next is sent
      expect(answer.toString()).toBe(word);
    }
    talk.end();
    const [ended] = await once(talk, "status");
    expect(ended.code).toBe(status.OK);
    await eventually(() => router.lines.length === 4);
    expect(grpcCounts(router)).toEqual({ OK: 4 });
    expect(router.lines.map(({ grpc_status, status }) => [grpc_status, status])).toEqual(
      Array.from({ length: 4 }, () => [0, 200]),
    );
  });

  it("carries metadata both ways: repeated, binary, and in trailers", async () => {
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
    const { calls } = await scene([
      {
        unary(call, answer) {
          const head = new Metadata();
          head.set("got-bin", call.metadata.get("raw-bin")[0]!);
          head.set("got", call.metadata.get("many").join("|"));
          call.sendMetadata(head);
          const trailer = new Metadata();
          trailer.set("end-bin", bytes);
          trailer.add("end", "1");
          trailer.add("end", "2");
          answer(null, Buffer.from("ok"), trailer);
        },
      },
    ]);
    const metadata = new Metadata();
    metadata.set("raw-bin", bytes);
    metadata.add("many", "one");
    metadata.add("many", "two");
    const answer = await calls.unary("", { metadata });
    expect(answer.error).toBeNull();
    expect(answer.metadata.get("got-bin")).toEqual([bytes]);
    expect(answer.metadata.get("got").join(",")).toMatch(/one.*two/);
    expect(answer.metadata.get("x-sluice-color")).toEqual(["blue"]);
    expect(answer.trailers.get("end-bin")).toEqual([bytes]);
    expect(answer.trailers.get("end").join(",")).toMatch(/1.*2/);
  });

  it("passes a status and its message on, and counts it as the outcome", async () => {
    let code = status.OK;
    const { calls, router } = await scene([
      { unary: (_call, answer) => answer({ code, details: "why: ü" }) },
    ]);
    const outcomes: unknown[] = [];
    for (code of [status.INVALID_ARGUMENT, status.INTERNAL, status.UNAVAILABLE]) {
      const { error } = await calls.unary("");
      expect([error?.code, error?.details]).toEqual([code, "why: ü"]);
      await eventually(() => router.lines.length > outcomes.length);
      outcomes.push(router.lines.at(-1)!.outcome);
    }
    expect(outcomes).toEqual(["answered", "grpc_error", "grpc_unavailable"]);
    expect(grpcCounts(router)).toEqual({ InvalidArgument: 1, Internal: 1, Unavailable: 1 });
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(1);
  });

  it("repeats UNAVAILABLE elsewhere where the method is declared, with the whole message, and nowhere else", async () => {
    const seen: string[] = [];
    const unavailable: EchoService = {
      unary: (_call, answer) => answer({ code: status.UNAVAILABLE, details: "starting" }),
    };
    const well: EchoService = {
      unary(call, answer) {
        seen.push(call.request.toString());
        answer(null, call.request);
      },
    };
    const declared = { retry: { ...retry, budget: 1, idempotent_paths: [UNARY] } };
    const { calls, router } = await scene([unavailable, well], { config: declared });
    for (let i = 0; i < 10; i++)
      expect((await calls.unary(`message ${i}`)).value?.toString()).toBe(`message ${i}`);
    expect(seen.length).toBe(10);
    expect(router.plane.report().colors.blue!.retries.grpc_unavailable).toBeGreaterThan(0);
    const strict = await scene([unavailable, well]);
    const codes = new Set<number | undefined>();
    while (codes.size < 2) codes.add((await strict.calls.unary("")).error?.code);
    expect(codes).toEqual(new Set([undefined, status.UNAVAILABLE]));
  });

  it("cancels the call at the target when the client does, and blames nobody", async () => {
    const canceled: string[] = [];
    const { calls, router } = await scene([
      {
        download: (call) =>
          void call.on("cancelled", () => canceled.push("download")).write(Buffer.from("x")),
      },
    ]);
    const download = calls.raw.download(Buffer.from(""));
    download.on("error", () => {});
    await once(download, "data");
    download.cancel();
    await eventually(() => canceled.length === 1 && router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort", grpc_status: 1 });
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
  });

  it("ends a call at its deadline where neither the target nor the client does", async () => {
    const canceled: string[] = [];
    const told: unknown[] = [];
    const { calls, router } = await scene([
      {
        unary(call) {
          told.push(call.getDeadline() !== Number.POSITIVE_INFINITY);
          call.on("cancelled", () => canceled.push("unary"));
        },
        download: (call) =>
          void call.on("cancelled", () => canceled.push("download")).write(Buffer.from("x")),
      },
    ]);
    const { error } = await calls.unary("", { deadline: 200 });
    expect([error?.code, told]).toEqual([status.DEADLINE_EXCEEDED, [true]]);
    const client = open(http2Client(router.url));
    const head = {
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "150m",
    };
    const before = await client.send({ ...head, ":path": UNARY }, Buffer.alloc(5));
    expect([before.status, before.headers["grpc-status"]]).toEqual([200, "4"]);
    const amid = await client.send({ ...head, ":path": "/test.Echo/Download" }, Buffer.alloc(5));
    expect([amid.status, amid.body.length, amid.trailers["grpc-status"]]).toEqual([200, 6, "4"]);
    await eventually(() => canceled.length === 3 && router.lines.length === 3);
    expect(router.lines.slice(1)).toMatchObject([
      { outcome: "deadline", grpc_status: 4 },
      { outcome: "deadline", grpc_status: 4 },
    ]);
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
  });

  it("answers for itself in gRPC's terms", async () => {
    const { calls, router } = await scene([{}], { config: { limits: { ...TEST_CONFIG.limits, body: 100 } } });
    expect((await calls.unary("x".repeat(200))).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    router.serve({ blue: { weight: 1, targets: [] } });
    const none = await calls.unary("");
    expect([none.error?.code, none.error?.details]).toEqual([
      status.UNAVAILABLE,
      "No healthy target is left to answer this request.",
    ]);
    expect(none.trailers.get("retry-after").length + none.metadata.get("retry-after").length).toBe(1);
    router.serve({ blue: { weight: 1, targets: [`http://127.0.0.1:${await refusedPort()}`] } });
    expect((await calls.unary("")).error?.code).toBe(status.UNAVAILABLE);
    const plain = open(await upstream());
    router.serve({ blue: { weight: 1, targets: [plain.url] } });
    expect((await calls.unary("")).error?.code).toBe(status.INTERNAL);
    expect(grpcCounts(router, "none")).toEqual({ Unavailable: 1 });
  });

  it("picks a color for each call, on one connection of one client", async () => {
    const says = (color: string): EchoService => ({
      unary: (_call, answer) => answer(null, Buffer.from(color)),
    });
    const blue = open(await grpcEcho(says("blue")));
    const green = open(await grpcEcho(says("green")));
    const colors = { blue: { weight: 3, targets: [blue.url] }, green: { weight: 1, targets: [green.url] } };
    const router = open(await testRouter(colors, { snapshot: { split: "exact" } }, create));
    const calls = open(echoClient(router.port));
    const counts: Record<string, number> = {};
    for (let i = 0; i < 40; i++) {
      const answer = await calls.unary("");
      const color = answer.value!.toString();
      expect(answer.metadata.get("x-sluice-color")).toEqual([color]);
      counts[color] = (counts[color] ?? 0) + 1;
    }
    expect(counts).toEqual({ blue: 30, green: 10 });
    expect(router.plane.connections).toBe(1);
  });
});
