import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { modelFile, type Running, startServer } from "./support/process.ts";

const running: Running[] = [];
/** A silence longer than any stall of this machine, or the server would take that for the end of traffic. */
const STALL = "3s";
const BODY = JSON.stringify({ data: [TRIP] });

async function started(...args: string[]): Promise<Running> {
  const server = await startServer(["--model", modelFile(), "--drain-quiet", "100ms", ...args]);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});

/** A prediction over the agent's connections. */
async function predict(port: number, agent: Agent): Promise<IncomingMessage & { body: string }> {
  const headers = { "Content-Type": "application/json", "Content-Length": BODY.length };
  const outgoing = request({ port, host: "127.0.0.1", path: "/predict", method: "POST", agent, headers }).end(
    BODY,
  );
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return Object.assign(incoming, { body: await text(incoming) });
}

/** Begins a prediction whose body does not come yet. */
async function halfRequest(port: number) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const fields = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}`;
  socket.write(`POST /predict HTTP/1.1\r\n${fields}\r\nExpect: 100-continue\r\n\r\n`);
  await once(socket, "data");
  return socket;
}

describe.each(["SIGTERM", "SIGINT"] as const)("on %s", (signal) => {
  it("readiness fails at once, what is in flight is answered, and the exit code is 0", async () => {
    const { child, port, url, logged, ended } = await started("--drain-quiet", STALL);
    const socket = await halfRequest(port);
    child.kill(signal);
    await logged("draining");
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    socket.write(BODY);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/connection: close/i);
    expect(await ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });
});

describe("an end by signal", () => {
  it("loses no request of steady clients until a balancer knows", async () => {
    const { child, port, url, ended } = await started("--drain-quiet", STALL);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let [sending, answered, closing] = [true, 0, 0];
    const client = async () => {
      while (sending) {
        const { statusCode, headers } = await predict(port, agent);
        expect(statusCode).toBe(200);
        answered++;
        if (headers.connection === "close") closing++;
      }
    };
    // A balancer: it stops sending when three checks have failed.
    const balancer = async () => {
      while (answered < 200) await new Promise(setImmediate);
      child.kill("SIGTERM");
      for (let failed = 0; failed < 3; ) if ((await fetch(`${url}/health/ready`)).status === 503) failed++;
      const seen = answered;
      while (answered < seen + 200) await new Promise(setImmediate);
      sending = false;
    };
    await Promise.all([balancer(), ...Array.from({ length: 8 }, client)]);
    expect(closing).toBeGreaterThan(150);
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("comes at once with the second signal", async () => {
    const { child, port, logged, ended } = await started();
    const socket = await halfRequest(port);
    socket.on("error", () => undefined);
    child.kill("SIGTERM");
    await logged("draining");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(1);
  });

  it("cuts at the deadline and says so by exit code 1", async () => {
    const { child, port, ended } = await started("--drain-timeout", "200ms");
    const socket = await halfRequest(port);
    socket.on("error", () => undefined);
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(stdout).toContain('"ending":"cut"');
  });
});
