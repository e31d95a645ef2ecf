import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect } from "vitest";
import type { GatesConfig } from "../../src/config/config.ts";
import { askTarget } from "../../src/control/gates/ask.ts";
import { candidateGates } from "../../src/control/gates/gates.ts";
import type { Ended, RolloutContext } from "../../src/control/rollout/ports.ts";
import { Dialer } from "../../src/targets/dialer.ts";
import { testConfig } from "./control-plane.ts";

export const OLD = { version: "1.0.0", digest: "sha256:old" };
export const NEW = { version: "1.0.1", digest: "sha256:new" };
export const GOLDEN = [
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

export interface Oddity {
  /** What `GET /model` answers; undefined: 404. */
  readonly model?: unknown;
  /** What predictions are answered with, by the body. */
  readonly predict?: (body: { data: { n: number }[] }) => unknown;
  readonly status?: number;
  /** Answers by itself. */
  readonly raw?: (response: ServerResponse, url: string) => void;
}

/** A version of a model service. @returns its URL, and what it was asked */
export async function version({ model, predict = right, status = 200, raw }: Oddity = {}) {
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

export const fareOf = ({ n }: { n: number }) => ({ fare_amount: n === 1 ? 11.36 : 7 });
export const right = ({ data }: { data: { n: number }[] }) => ({
  predictions: data.map(fareOf),
  color: "green",
});

export interface Scene {
  readonly green?: readonly string[];
  readonly blue?: readonly string[];
  readonly settings?: Partial<GatesConfig>;
  readonly checked?: { version?: string | undefined; digest?: string | undefined };
  readonly context?: Partial<RolloutContext>;
}

/** What the gate `name` says of a candidate. */
export async function check(
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
export const NEVER = new AbortController().signal;
/** A gate's failure, by its sentence. */
export const failed = (sentence: RegExp) => ({ ok: false, detail: expect.stringMatching(sentence) });
