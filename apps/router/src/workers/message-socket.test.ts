import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { closing, eventually } from "../../test/support/open.ts";
import { MessageSocket } from "./message-socket.ts";

const open = closing();

async function pair(): Promise<{ raw: Socket; got: unknown[]; messages: MessageSocket<unknown, unknown> }> {
  const accepted = Promise.withResolvers<Socket>();
  const server = open(createServer((socket) => accepted.resolve(socket)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const raw = await accepted.promise;
  open({ close: () => raw.destroy() });
  const got: unknown[] = [];
  const messages = new MessageSocket<unknown, unknown>(
    socket,
    (message) => got.push(message),
    () => got.push("closed"),
  );
  open({ close: () => messages.destroy() });
  return { raw, got, messages };
}

it("puts messages together however they were cut, and drops one whose sender died", async () => {
  const { raw, got } = await pair();
  const bytes = Buffer.from(`${JSON.stringify({ a: "ä\n" })}\n{"b":2}\n{"c":`);
  for (const byte of bytes) raw.write(Buffer.of(byte));
  raw.end();
  await eventually(() => got.includes("closed"));
  expect(got).toEqual([{ a: "ä\n" }, { b: 2 }, "closed"]);
});

it("keeps only so much for a reader that has stopped", async () => {
  const { raw, messages } = await pair();
  raw.pause();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 200; i++) messages.send({ text: "x".repeat(1 << 20) });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
});
