import type { HttpBindings } from "@hono/node-server";
import type { StreamEvent } from "../events.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./route.ts";

/** Milliseconds between comments that keep the connection open through proxies. */
const HEARTBEAT = 15_000;
/** Bytes that may wait for a client that reads slowly; with more it is let go, and may come back with its last id. */
const BUFFER = 256 * 1024;

const encoder = new TextEncoder();

export type StreamParts = Pick<AdminDeps, "events" | "clock" | "leaving">;

/** Answers with server-sent events (WHATWG HTML section 9.2), for as long as the client listens. */
export function streamEvents(c: AdminContext, parts: StreamParts): Response {
  const headers = { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" };
  if (c.req.raw.method === "HEAD") return c.body(null, 200, headers);
  return c.body(eventBytes(c, parts), 200, headers);
}

function eventBytes(c: AdminContext, { events, clock, leaving }: StreamParts) {
  const { signal } = c.req.raw;
  let stop = () => {};
  const start = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    let cancelBeat = () => {};
    let unsubscribe = () => {};
    let stopped = false;
    stop = () => {
      stopped = true;
      cancelBeat();
      unsubscribe();
      signal.removeEventListener("abort", stop);
      leaving.removeEventListener("abort", end);
    };
    const end = () => {
      stop();
      controller.close();
    };
    const send = (text: string) => {
      if (stopped) return;
      controller.enqueue(encoder.encode(text));
      if ((controller.desiredSize ?? 0) >= 0) return;
      stop();
      controller.close();
      cut(c); // a clean end would wait until the client has read all that it does not read
    };
    const beat = () => {
      cancelBeat = clock.after(HEARTBEAT, beat);
      send(": still here\n\n");
    };
    signal.addEventListener("abort", stop);
    leaving.addEventListener("abort", end);
    cancelBeat = clock.after(HEARTBEAT, beat);
    send("retry: 1000\n\n");
    unsubscribe = events.subscribe((event) => send(format(event)), c.req.header("Last-Event-ID"));
    if (stopped) unsubscribe();
  };
  const size = (chunk: Uint8Array | undefined) => chunk?.byteLength ?? 0;
  return new ReadableStream({ start, cancel: () => stop() }, { highWaterMark: BUFFER, size });
}

/** Ends the connection, where there is one. */
function cut(c: AdminContext): void {
  (c.env as Partial<HttpBindings> | undefined)?.outgoing?.destroy();
}

function format({ id, type, data }: StreamEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `event: ${type}`,
    `data: ${JSON.stringify(data)}`,
  ];
  return `${lines.join("\n")}\n\n`;
}
