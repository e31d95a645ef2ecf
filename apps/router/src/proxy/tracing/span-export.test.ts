import { afterEach, describe, expect, it, vi } from "vitest";
import { collector } from "../../../test/support/otlp/collector.ts";
import { type RawUpstream, rawUpstream, refusedPort, upstream } from "../../../test/support/upstream.ts";
import type { TracingConfig } from "../../config/config.ts";
import type { SpanData } from "./span.ts";
import { type Exporter, MOST_WAITING, SpanExport } from "./span-export.ts";

const TRACING: TracingConfig = { otlp: "http://127.0.0.1:1/", headers: {}, sample: 1, service_name: "s" };

const SPAN: SpanData = {
  ...{ kind: "server", name: "GET", traceId: "1".repeat(32), spanId: "2".repeat(16), parentId: undefined },
  ...{ state: undefined, flags: 1, start: 1000, end: 1001.5, attributes: {}, failed: false },
};

afterEach(() => void vi.useRealTimers());

/** An exporter whose exports end when the test says so. */
class HeldExporter implements Exporter {
  readonly batches: number[] = [];
  closed = 0;
  #answer: ((taken: boolean) => void) | undefined;

  export(spans: readonly SpanData[]): Promise<boolean> {
    this.batches.push(spans.length);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  async answer(taken: boolean): Promise<void> {
    this.#answer!(taken);
    await vi.advanceTimersByTimeAsync(0);
  }

  close(): void {
    this.closed++;
  }
}

async function held() {
  vi.useFakeTimers();
  const exporter = new HeldExporter();
  const spans = new SpanExport(async () => exporter);
  spans.configure(TRACING);
  const add = async (count: number) => {
    for (let i = 0; i < count; i++) spans.sink!.add(SPAN);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { exporter, spans, add };
}

describe("spans on their way to the collector", () => {
  it("wait a second for company, or until a batch is full", async () => {
    const { exporter, add } = await held();
    await add(511);
    expect(exporter.batches).toEqual([]);
    await add(1);
    expect(exporter.batches).toEqual([512]);
    await exporter.answer(true);
    await add(3);
    await vi.advanceTimersByTimeAsync(999);
    expect(exporter.batches).toEqual([512]);
    await vi.advanceTimersByTimeAsync(1);
    expect(exporter.batches).toEqual([512, 3]);
  });

  it("go one export at a time, and are dropped and counted where no more can wait", async () => {
    const { exporter, spans, add } = await held();
    await add(512);
    await add(MOST_WAITING + 7);
    expect(exporter.batches).toEqual([512]);
    expect(spans.counts()).toEqual({ exported: 0, queueFull: 7, failed: 0 });
    await exporter.answer(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(exporter.batches).toEqual([512, 512]);
    await exporter.answer(true);
    expect(spans.counts()).toEqual({ exported: 512, queueFull: 7, failed: 512 });
  });

  it("are given up when an export never ends, and its connections are cut", async () => {
    const { exporter, spans, add } = await held();
    await add(512);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(spans.counts().failed).toBe(512);
    expect(exporter.closed).toBe(1);
    await add(512);
    expect(exporter.batches).toEqual([512, 512]);
    await exporter.answer(true);
    expect(spans.counts()).toEqual({ exported: 512, queueFull: 0, failed: 512 });
  });

  it("are sent at the end, all that wait, for two seconds at most", async () => {
    const { exporter, spans, add } = await held();
    await add(514);
    const closed = vi.fn();
    void spans.close().then(closed);
    await exporter.answer(true);
    expect(exporter.batches).toEqual([512, 2]);
    await vi.advanceTimersByTimeAsync(1999);
    expect(closed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(closed).toHaveBeenCalledOnce();
    expect(spans.counts()).toEqual({ exported: 512, queueFull: 0, failed: 2 });
    await exporter.answer(true);
    expect(spans.counts(), "what was given up is not counted again").toEqual({
      ...{ exported: 512, queueFull: 0, failed: 2 },
    });
    await add(1);
    expect(spans.counts().queueFull).toBe(1);
  });

  it("fail without harm where the exporter cannot be made", async () => {
    const spans = new SpanExport(() => Promise.reject(new Error("no such module")));
    spans.configure(TRACING);
    spans.sink!.add(SPAN);
    await spans.close();
    expect(spans.counts()).toEqual({ exported: 0, queueFull: 0, failed: 1 });
  });
});

describe("the official exporter", () => {
  const send = async (url: string) => {
    const spans = new SpanExport();
    spans.configure({ ...TRACING, otlp: url });
    spans.sink!.add(SPAN);
    await spans.close();
    return spans.counts();
  };

  it("sends protobuf that a collector can read, with times to the nanosecond", async () => {
    const receiver = await collector();
    expect(await send(`${receiver.url}/v1/traces`)).toEqual({ exported: 1, queueFull: 0, failed: 0 });
    expect(receiver.seen[0]).toMatchObject({ method: "POST", url: "/v1/traces" });
    expect(receiver.spans()).toMatchObject([
      { ...{ start: 1_000_000_000n, end: 1_001_500_000n, parentId: "", state: "", kind: "SERVER" } },
    ]);
    await receiver.close();
  });

  it("counts what a collector refuses", async () => {
    const receiver = await upstream((_request, response) => response.writeHead(400).end("no"));
    expect(await send(receiver.url)).toEqual({ exported: 0, queueFull: 0, failed: 1 });
    await receiver.close();
  });

  it("takes garbage in an answer for an answer", async () => {
    const receiver = await upstream((_request, response) => response.end(Buffer.alloc(4096, 0xff)));
    expect(await send(receiver.url)).toEqual({ exported: 1, queueFull: 0, failed: 0 });
    await receiver.close();
  });

  it.each<[string, (socket: Parameters<Parameters<typeof rawUpstream>[0]>[0]) => void]>([
    ["says nothing", () => {}],
    ["speaks something else", (socket) => socket.end("\x16\x03\x01 garbage\r\n\r\n")],
    ["hangs up", (socket) => socket.destroy()],
    ["never ends its answer", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")],
  ])("gives up on a collector that %s", async (_what, connected) => {
    const receiver: RawUpstream = await rawUpstream((socket) => {
      socket.resume();
      connected(socket);
    });
    expect(await send(receiver.url)).toEqual({ exported: 0, queueFull: 0, failed: 1 });
    await vi.waitFor(() => expect(receiver.sockets.size, "connections left").toBe(0));
    await receiver.close();
  });

  it("gives up on a collector that is not there", async () => {
    expect(await send(`http://127.0.0.1:${await refusedPort()}`)).toEqual({
      ...{ exported: 0, queueFull: 0, failed: 1 },
    });
  });
});
