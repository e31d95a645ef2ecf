import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import type { DrainOptions } from "../src/options.ts";
import { listen } from "../src/server.ts";
import { type Ending, shutDown } from "../src/shutdown.ts";
import { Traffic } from "../src/traffic.ts";

const FOREVER = 600_000;

/** A server whose requests to /slow wait for the test. */
interface Bench {
  readonly server: Server;
  readonly port: number;
  readonly slow: ServerResponse[];
  readonly agent: Agent;
  end(drain: Partial<DrainOptions>): Promise<Ending>;
  /** The path's answer. Its connection may be one that is kept. */
  get(path: string, agent?: Agent): Promise<IncomingMessage & { body: string; reused: boolean }>;
}

const benches: Bench[] = [];

async function bench(): Promise<Bench> {
  const slow: ServerResponse[] = [];
  const server = createServer({ keepAliveTimeout: FOREVER }, (incoming, response) => {
    if (incoming.url === "/slow") slow.push(response);
    else response.end("done");
  });
  const traffic = new Traffic(server);
  const { port } = await listen(server, 0, "127.0.0.1");
  const agent = new Agent({ keepAlive: true });
  const made: Bench = {
    server,
    port,
    slow,
    agent,
    end: (drain) => shutDown(server, traffic, { delay: FOREVER, quiet: 20, timeout: FOREVER, ...drain }),
    get: async (path, own = agent) => {
      const outgoing = request({ port, host: "127.0.0.1", path, agent: own }).end();
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      return Object.assign(incoming, { body: await text(incoming), reused: outgoing.reusedSocket });
    },
  };
  benches.push(made);
  return made;
}

afterEach(() => {
  for (const { server, agent } of benches.splice(0)) {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  }
});

describe("a shutdown", () => {
  it("waits for the request in flight, and closes its connection with the answer", async () => {
    const { server, slow, get, end } = await bench();
    const arrived = once(server, "request");
    const answer = get("/slow");
    await arrived;
    const ending = end({});
    slow[0]!.end("at last");
    expect((await answer).body).toBe("at last");
    expect((await answer).headers.connection).toBe("close");
    expect(await ending).toBe("drained");
  });

  it("goes on while requests come: each is answered and takes its connection along", async () => {
    const { get, end } = await bench();
    await get("/");
    void end({ quiet: FOREVER });
    const late = await get("/");
    expect([late.statusCode, late.reused, late.headers.connection]).toEqual([200, true, "close"]);
    const next = await get("/");
    expect([next.statusCode, next.reused, next.headers.connection]).toEqual([200, false, "close"]);
  });

  it("takes no new connection after the delay, but still answers on those that it has", async () => {
    const { get, end, port } = await bench();
    await get("/");
    void end({ delay: 0, quiet: FOREVER });
    const [refused] = await once(connect(port, "127.0.0.1"), "error");
    expect(refused.code).toBe("ECONNREFUSED");
    const late = await get("/");
    expect([late.statusCode, late.reused, late.headers.connection]).toEqual([200, true, "close"]);
  });

  it("waits for an answer that takes longer than the silence", async () => {
    const { get, end, server, slow, port } = await bench();
    const arrived = once(server, "request");
    const answer = get("/slow");
    await arrived;
    const ending = end({});
    // The listener is gone, so the silence is over; only the answer is still missing.
    while (server.listening) await new Promise(setImmediate);
    await once(connect(port, "127.0.0.1"), "error");
    slow[0]!.end("at last");
    expect((await answer).body).toBe("at last");
    expect(await ending).toBe("drained");
  });

  it("is not held up by a balancer's checks", async () => {
    const { get, end } = await bench();
    let over = false;
    const ending = end({}).finally(() => {
      over = true;
    });
    while (!over) await get("/health/ready", new Agent()).catch(() => undefined);
    expect(await ending).toBe("drained");
  });

  it("is not held up by idle connections, nor by one that never sent a byte", async () => {
    const { get, end, port, server } = await bench();
    await get("/");
    const accepted = once(server, "connection");
    const spare = connect(port, "127.0.0.1");
    await accepted;
    expect(await end({})).toBe("drained");
    await once(spare.resume(), "close");
  });

  it("cuts what is left at the deadline, and says so", async () => {
    const { get, end, server } = await bench();
    const arrived = once(server, "request");
    const lost = get("/slow").catch((error) => error.code);
    await arrived;
    expect(await end({ timeout: 30 })).toBe("cut");
    expect(await lost).toBe("ECONNRESET");
  });

  it("cuts half a request at the deadline too", async () => {
    const { end, port, server } = await bench();
    const accepted = once(server, "connection");
    const half = connect(port, "127.0.0.1");
    const [socket] = await accepted;
    half.write("GET / HTTP/1.1\r\n");
    while (socket.bytesRead === 0) await new Promise(setImmediate);
    expect(await end({ timeout: 30 })).toBe("cut");
  });
});
