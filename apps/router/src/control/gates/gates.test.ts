import { writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { testConfig } from "../../../test/support/control-plane.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { GatesConfig } from "../../config/config.ts";
import { Dialer } from "../../targets/dialer.ts";
import type { Ended, RolloutContext } from "../rollout/ports.ts";
import { askTarget } from "./ask.ts";
import { candidateGates } from "./gates.ts";

const OLD = { version: "1.0.0", digest: "sha256:old" };
const NEW = { version: "1.0.1", digest: "sha256:new" };
const GOLDEN = [
  { trip: { n: 1 }, fare_amount: 11.3587 },
  { trip: { n: 2 }, fare_amount: 7 },
];

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Oddity {
  /** What `GET /model` answers; undefined: 404. */
  readonly model?: unknown;
  /** What predictions are answered with, by the body. */
  readonly predict?: (body: { data: { n: number }[] }) => unknown;
  readonly status?: number;
  /** Answers by itself. */
  readonly raw?: (response: ServerResponse, url: string) => void;
}

/** A version of a model service. @returns its URL, and what it was asked */
async function version({ model, predict = right, status = 200, raw }: Oddity = {}) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    asked.push(`${request.method} ${request.url}`);
    if (raw) return raw(response, request.url!);
    const answer = (code: number, value: unknown) =>
      response.writeHead(code).end(typeof value === "string" ? value : JSON.stringify(value));
    if (request.url === "/model") return answer(model === undefined ? 404 : 200, model ?? {});
    return answer(status, predict(JSON.parse(text)));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const fareOf = ({ n }: { n: number }) => ({ fare_amount: n === 1 ? 11.36 : 7 });
const right = ({ data }: { data: { n: number }[] }) => ({ predictions: data.map(fareOf), color: "green" });

interface Scene {
  readonly green?: readonly string[];
  readonly blue?: readonly string[];
  readonly settings?: Partial<GatesConfig>;
  readonly checked?: { version?: string | undefined; digest?: string | undefined };
  readonly context?: Partial<RolloutContext>;
}

async function check(
  name: string,
  { green = [], blue = [], settings, checked = NEW, context }: Scene,
  signal = NEVER,
) {
  const { gates, predictions } = testConfig();
  const config = () => ({ gates: { ...gates, ...settings }, predictions });
  const all = candidateGates({ config, ask: askTarget(new Dialer()), lastCheck: () => checked });
  const gate = all.find((one) => one.name === name)!;
  const usual: RolloutContext = {
    id: "r",
    candidate: { color: "green", ...NEW },
    stable: { color: "blue", ...OLD },
    expect: "same",
    by: "ana",
    reason: "",
    targets: (color) => (color === "green" ? green : blue),
  };
  return (await gate.check({ ...usual, ...context }, signal)) as Ended;
}
const NEVER = new AbortController().signal;
const failed = (sentence: RegExp) => ({ ok: false, detail: expect.stringMatching(sentence) });

describe("the gate identity", () => {
  it("passes when every target is the version that was asked for, and another than the stable color's", async () => {
    const [one, two] = [await version({ model: { ...NEW, golden: GOLDEN } }), await version()];
    expect(await check("identity", { green: [one.url, two.url] })).toEqual({
      ok: true,
      detail: "2 targets of green are 1.0.1, sha256:new",
    });
  });
  it.each<[Omit<Scene, "green">, unknown, RegExp]>([
    [{ checked: {} }, undefined, /says at its checks that it has the digest nothing; expected sha256:new$/],
    [
      { checked: OLD },
      undefined,
      /says at its checks that it has the digest sha256:old; expected sha256:new$/,
    ],
    [
      { checked: { ...NEW, version: "2" } },
      undefined,
      /says at its checks that it is version 2; expected 1\.0\.1$/,
    ],
    [{}, OLD, /says at \/model that it has the digest sha256:old; expected sha256:new$/],
    [{}, { ...NEW, version: "2" }, /says at \/model that it is version 2; expected 1\.0\.1$/],
    [
      { context: { stable: { color: "blue", ...NEW } } },
      undefined,
      /^green runs what blue runs \(sha256:new\); expected another/,
    ],
    [{ context: { targets: () => [] } }, undefined, /^green has no target$/],
  ])("fails for %j %j", async (scene, model, sentence) => {
    const { url } = await version({ model });
    expect(await check("identity", { green: [url], ...scene })).toEqual(failed(sentence));
  });
});

describe("the gate golden", () => {
  it("passes when all golden rows are right, rounded or not, at every target", async () => {
    const exact = ({ data }: { data: { n: number }[] }) => ({
      predictions: data.map(({ n }) => ({ fare_amount: GOLDEN[n - 1]!.fare_amount })),
    });
    const model = { ...NEW, golden: GOLDEN };
    const [one, two] = [await version({ model }), await version({ model, predict: exact })];
    expect(await check("golden", { green: [one.url, two.url] })).toEqual({
      ok: true,
      detail: "2 golden rows are right at 2 targets",
    });
    expect(one.asked).toEqual(["GET /model", "POST /api/predict/"]);
  });
  it("has nothing to compare where neither color offers rows, and fails where only the stable one does", async () => {
    const [without, stable] = [await version(), await version({ model: { ...OLD, golden: GOLDEN } })];
    expect(await check("golden", { green: [without.url], blue: [without.url] })).toMatchObject({
      ok: true,
      detail: "neither color offers golden rows at /model, so none are compared",
    });
    expect(await check("golden", { green: [without.url], blue: [stable.url] })).toEqual(
      failed(/offers no golden rows at \/model, and http.* does$/),
    );
  });
  it.each<[Oddity, RegExp]>([
    [
      { predict: () => ({ predictions: [{ fare_amount: 11.37 }, { fare_amount: 7 }] }) },
      /answers golden row 0 with 11\.37; the artifact says 11\.36 \(11\.3587\)$/,
    ],
    [
      { predict: () => ({ predictions: [{ fare_amount: 11.36 }, { fare_amount: null }] }) },
      /answers golden row 1 with undefined/,
    ],
    [
      { predict: () => ({ predictions: [] }) },
      /answers 1 predictions for 2 rows|answers 0 predictions for 2 rows/,
    ],
    [{ predict: () => "<html>" }, /answers what is not JSON: "<html>"$/],
    [
      { status: 422, predict: () => ({ detail: "Row 0 is bad." }) },
      /answers 422; expected 200 \(Row 0 is bad\)$/,
    ],
    [{ model: { golden: [] } }, /has golden rows of another form: golden\.: /],
    [{ model: { golden: [{ trip: {}, fare_amount: "x" }] } }, /golden\.0\.fare_amount: /],
    [{ raw: (response) => response.writeHead(503).end() }, /^GET http.*\/model answers 503$/],
    [
      { raw: (response) => response.writeHead(307, { Location: "http://elsewhere.invalid/" }).end() },
      /neither|has no target/,
    ],
    [{ raw: (response) => response.destroy() }, /has no answer \(.+\)$/],
    [
      {
        raw: (response) =>
          void response.writeHead(200, { "Content-Length": 9 }).write("{", () => response.destroy()),
      },
      /no answer|breaks off/,
    ],
    [
      { raw: (response) => void response.writeHead(200).end(Buffer.alloc(17 << 20, " ")) },
      /answers more than 16777216 bytes$/,
    ],
  ])("says what is wrong: %j", async (oddity, sentence) => {
    const { url } = await version({ model: { ...NEW, golden: GOLDEN }, ...oddity });
    expect((await check("golden", { green: [url], blue: [url] })).detail).toMatch(sentence);
  });
  it("fails where nobody listens, and when time is up", async () => {
    expect(await check("golden", { green: ["http://127.0.0.1:1"] })).toEqual(
      failed(/has no answer \(connection refused\)$/),
    );
    const { url } = await version({ raw: () => {} });
    expect(await check("golden", { green: [url], settings: { timeout: 50 } })).toEqual(
      failed(/^it has taken longer than 0\.05 s \(gates\.timeout\)$/),
    );
  });
  it("ends when the rollout does", async () => {
    const { url } = await version({ raw: () => {} });
    const abort = new AbortController();
    const checking = check("golden", { green: [url] }, abort.signal);
    abort.abort();
    await expect(checking).rejects.toThrow(/aborted/);
  });
});

describe("the gate schema", () => {
  const model = { ...NEW, golden: GOLDEN };
  it("passes when answers have at least the shape of the stable color's", async () => {
    const more = (body: { data: { n: number }[] }) => ({ ...right(body), trace: "x", extra: { a: 1 } });
    const [green, blue] = [await version({ model, predict: more }), await version()];
    expect(await check("schema", { green: [green.url], blue: [blue.url] })).toEqual({
      ok: true,
      detail: "answers have the shape of blue's at 1 target",
    });
    expect(blue.asked).toEqual(["POST /api/predict/", "POST /api/predict/"]);
  });
  it.each<[unknown, RegExp]>([
    [
      { predictions: [{ fare: 1 }], color: "x" },
      /in another shape: \/predictions\/\*\/fare_amount is missing$/,
    ],
    [
      { predictions: [{ fare_amount: null }], color: "x" },
      /\/predictions\/\*\/fare_amount is null; expected a number$/,
    ],
    [{ predictions: [{ fare_amount: "1" }], color: "x" }, /fare_amount is a string; expected a number$/],
    [{ predictions: [], color: "x" }, /\/predictions is an empty list$/],
    [{ predictions: [{ fare_amount: 1 }] }, /\/color is missing$/],
    [[1], /the whole is a list; expected an object$/],
  ])("fails for %j", async (answer, sentence) => {
    const [green, blue] = [await version({ model, predict: () => answer }), await version()];
    expect(await check("schema", { green: [green.url], blue: [blue.url] })).toEqual(failed(sentence));
  });
  it("goes by a JSON Schema and a request of files, where they are configured", async () => {
    const folder = temporaryFolder();
    const path = (name: string, value: unknown) => {
      writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
      return join(folder, name);
    };
    const number = { type: "number", minimum: 2.5 };
    const properties = {
      predictions: { type: "array", items: { type: "object", properties: { fare_amount: number } } },
    };
    const schema = path("schema.json", { type: "object", required: ["predictions"], properties });
    const request = path("request.json", { data: [{ n: 2 }] });
    const good = await version();
    expect(await check("schema", { green: [good.url], settings: { schema, request } })).toEqual({
      ok: true,
      detail: `answers fulfill ${schema} at 1 target`,
    });
    const bad = await version({ predict: () => ({ predictions: [{ fare_amount: 1 }] }) });
    expect(await check("schema", { green: [bad.url], settings: { schema, request } })).toEqual(
      failed(/in another shape: \/predictions\/0\/fare_amount: Too small/),
    );
    for (const [settings, sentence] of [
      [
        { schema: join(folder, "none.json"), request },
        /^gates\.schema: .*none\.json cannot be read \(ENOENT\)$/,
      ],
      [{ schema: path("a.json", "{"), request }, /^gates\.schema: .*a\.json is not JSON$/],
      [
        { schema: path("b.json", { $ref: "http://x/" }), request },
        /^gates\.schema: .*b\.json is no JSON Schema \(/,
      ],
      [{ request: path("c.json", "x") }, /^gates\.request: .*c\.json is not JSON$/],
    ] as const) {
      expect(await check("schema", { green: [good.url], blue: [good.url], settings })).toEqual(
        failed(sentence),
      );
    }
  });
  it("says that it had nothing to ask with", async () => {
    const { url } = await version();
    expect(await check("schema", { green: [url], blue: [url] })).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/nothing to ask with/),
    });
  });
});

describe("the gate warm_up", () => {
  const model = { ...NEW, golden: GOLDEN };
  it("asks every target for so many predictions", async () => {
    const [one, two] = [await version({ model }), await version({ model })];
    expect(await check("warm_up", { green: [one.url, two.url], settings: { requests: 30 } })).toEqual({
      ok: true,
      detail: `${one.url} answered 30 of 30 predictions; ${two.url} answered 30 of 30 predictions`,
    });
    expect(one.asked.filter((each) => each.startsWith("POST"))).toHaveLength(30);
  });
  it("goes on until the last ones were quick", async () => {
    let answers = 0;
    const slow = await version({
      model,
      predict: (body) => {
        const until = performance.now() + (answers++ < 10 ? 60 : 0);
        while (performance.now() < until); // the first ones keep the processor busy
        return right(body);
      },
    });
    const settings = { requests: 5, p95: 50 };
    expect(await check("warm_up", { green: [slow.url], settings })).toMatchObject({ ok: true });
    expect(answers).toBeGreaterThanOrEqual(20);
  });
  it("fails at what stays slow, and at what is plainly broken", async () => {
    const { url } = await version({ model });
    const settings = { requests: 20, p95: 1e-6, timeout: 1500 };
    expect(await check("warm_up", { green: [url], settings })).toEqual(
      failed(/does not get warm: after \d+ predictions|it has taken longer than 1\.5 s/),
    );
    const refusing = await version({ model, status: 503, predict: () => ({}) });
    expect(await check("warm_up", { green: [refusing.url] })).toEqual(
      failed(/failed 5 of 5 predictions, 5 in a row: POST http.* answers 503; expected 200$/),
    );
  });
  it("leaves rates to the guards: only more than a tenth fails", async () => {
    const failing = async (every: number) => {
      let answers = 0;
      const raw = (response: ServerResponse, url: string) => {
        if (url === "/model") response.end(JSON.stringify(model));
        else if (answers++ % every === 0) response.writeHead(500).end();
        else response.end("{}");
      };
      return (await version({ raw })).url;
    };
    expect(await check("warm_up", { green: [await failing(10)] })).toEqual({
      ok: true,
      detail: expect.stringMatching(/answered 45 of 50 predictions$/),
    });
    expect(await check("warm_up", { green: [await failing(9)] })).toEqual(
      failed(/failed 6 of 50 predictions; expected at most 10 %$/),
    );
  });
});

it("are usual as the configuration says", () => {
  const { gates, predictions } = testConfig();
  const config = () => ({ gates: { ...gates, usual: ["golden" as const] }, predictions });
  const all = candidateGates({ config, ask: askTarget(new Dialer()), lastCheck: () => undefined });
  expect(all.map(({ name, usual }) => [name, usual("same")])).toEqual([
    ["identity", false],
    ["golden", true],
    ["schema", false],
    ["warm_up", false],
  ]);
});
