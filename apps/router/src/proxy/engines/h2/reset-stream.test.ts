import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { endsWhole } from "./ends-whole.ts";
import { resetStream } from "./reset-stream.ts";

const open = closing();

it("resets a stream without ending it first, unlike close", async () => {
  const seen: boolean[] = [];
  for (const reset of [resetStream, (stream: ServerHttp2Stream, code: number) => stream.close(code)]) {
    const server = createServer();
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200 });
      stream.write("part");
      stream.once("data", () => reset(stream, 2));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = open(http2Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const stream = client.open({ ":method": "POST" });
    const whole = endsWhole(stream);
    await once(stream, "data");
    stream.write("more");
    await eventually(() => stream.destroyed);
    expect(stream.rstCode).toBe(2);
    seen.push(whole());
    client.close();
    server.close();
  }
  expect(seen).toEqual([false, true]);
});
