import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { untilReady } from "../ready.ts";
import type { Slot } from "../slot.ts";
import { checkDirectly } from "./direct.ts";
import { verifyOutside } from "./outside.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const IDENTITY = { name: "taxi-fare", version: "1.0.0", digest: DIGEST };
const GOLDEN = [
  { trip: { n: 1 }, fare_amount: 11.3587 },
  { trip: { n: 2 }, fare_amount: 7 },
];
const { signal } = new AbortController();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Oddity {
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
  /** What it answers instead of predictions. */
  readonly body?: unknown;
  /** Milliseconds that it needs for each of the first answers. */
  readonly cold?: { readonly answers: number; readonly delay: number };
  /** It speaks HTTP/2 alone. */
  readonly h2c?: boolean;
}

/** A model service behind a router, as far as its answers show. @returns its URL */
async function serve({ headers = {}, status = 200, body, cold, h2c = false }: Oddity = {}): Promise<string> {
  let answers = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const usual = { "X-Sluice-Color": "green", "X-Model-Digest": DIGEST };
    const write = (value: unknown) => {
      response.writeHead(status, { ...usual, ...headers });
      response.end(typeof value === "string" ? value : JSON.stringify(value));
    };
    if (request.url === "/health/ready") return write("ready");
    if (request.url === "/model") return write({ ...IDENTITY, golden: GOLDEN });
    const fare = (trip: { n: number }) => ({ fare_amount: trip.n === 1 ? 11.36 : 7 });
    const predictions = JSON.parse(text).data.map(fare);
    const value = body ?? { predictions, model: IDENTITY, color: "green" };
    if (cold && answers++ < cold.answers) setTimeout(write, cold.delay, value);
    else write(value);
  };
  const server = h2c ? (createHttp2Server(answer as never) as unknown as Server) : createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `${h2c ? "h2c" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("verifying from outside", () => {
  const verify = async (oddity: Oddity, more: object = {}) => {
    const url = await serve(oddity);
    const asked = { url, requests: 4, color: "green", digest: DIGEST, rows: GOLDEN, compare: true, ...more };
    return verifyOutside(asked, signal);
  };
  test("passes when every request is answered by the color, the digest and with its fares", async () => {
    await verify({});
    await verify({ headers: { "X-Model-Digest": "sha256:other" } }, { digest: undefined });
  });
  test.each<[Oddity, RegExp]>([
    [{ headers: { "X-Sluice-Color": "blue" } }, /request 1 of 4 .* was answered by blue; expected green/],
    [
      { headers: { "X-Model-Digest": "sha256:other" } },
      /answered by the digest sha256:other; expected sha256:a+/,
    ],
    [{ status: 503 }, /answers 503; expected 200/],
    [{ body: "<html>" }, /answers what is not JSON: "<html>"/],
    [{ body: { predictions: [] } }, /another shape than the contract's: model/],
    [
      { body: { predictions: [], model: IDENTITY, color: "green" } },
      /answers 0 predictions for 1 trips; expected one for each/,
    ],
    [
      { body: { predictions: [{ fare_amount: 3 }], model: IDENTITY, color: "green" } },
      /answers golden row 0 with 3; the artifact says 11\.36/,
    ],
  ])("fails for %j", async (oddity, sentence) => {
    await expect(verify(oddity)).rejects.toThrow(sentence);
  });
});

describe("checking directly", () => {
  const expected = {
    color: "green",
    version: "1.0.0",
    digest: DIGEST,
    golden: undefined,
    warm: { p95: 50, timeout: 10_000 },
  };
  test("says what is served, once it is warm", async () => {
    const cold = { answers: 10, delay: 100 };
    expect(await checkDirectly(await serve({ cold }), expected, signal)).toMatchObject({
      version: "1.0.0",
      digest: DIGEST,
    });
  });
  test("asks a target over HTTP/2 that speaks nothing else", async () => {
    const url = await serve({ h2c: true });
    const slot = { color: "green", endpoints: async () => [url], sound: async () => true } as unknown as Slot;
    await untilReady(slot, [url], { signal, timeout: 60_000 });
    expect(await checkDirectly(url, expected, signal)).toMatchObject({ version: "1.0.0", digest: DIGEST });
  });
  test("names such a target when it answers with an error, and when nobody is there", async () => {
    const url = await serve({ h2c: true, status: 503 });
    await expect(checkDirectly(url, expected, signal)).rejects.toThrow(
      `GET ${url}/model answers 503; expected 200.`,
    );
    servers.at(-1)!.close();
    await expect(checkDirectly(url, expected, signal)).rejects.toThrow(
      `GET ${url}/model has no answer (ECONNREFUSED).`,
    );
  });
  test("gives up on what stays cold", async () => {
    const url = await serve({ cold: { answers: 1e9, delay: 60 } });
    const impatient = { ...expected, warm: { p95: 50, timeout: 1 } };
    await expect(checkDirectly(url, impatient, signal)).rejects.toThrow(
      /does not get warm: after 20 predictions the 95th percentile is \d+ ms; expected at most 50 ms/,
    );
  });
  test.each<[object, Oddity, RegExp]>([
    [{ version: "2.0.0" }, {}, /serves version 1\.0\.0; expected 2\.0\.0/],
    [{ digest: "sha256:b" }, {}, /serves the digest sha256:a+; expected sha256:b/],
    [{ color: "blue" }, {}, /says that its color is green; expected blue/],
    [{}, { headers: { "X-Model-Digest": "none" } }, /answers with X-Model-Digest: none; expected sha256:a+/],
    [
      {},
      { body: { predictions: GOLDEN, model: { ...IDENTITY, version: "9" }, color: "green" } },
      /answers predictions as 9 sha256:a+, but GET \/model says 1\.0\.0 sha256:a+/,
    ],
  ])("fails for %j %j", async (other, oddity, sentence) => {
    await expect(checkDirectly(await serve(oddity), { ...expected, ...other }, signal)).rejects.toThrow(
      sentence,
    );
  });
});
