import type { Config } from "../../src/config/config.ts";
import { type ControlPlane, createControlPlane } from "../../src/control/control-plane.ts";
import type { ControlPlaneOptions } from "../../src/control/control-plane-options.ts";
import { DEFAULTS } from "./default-config.ts";
import { FakeChannel } from "./fake-channel.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeLog } from "./fake-log.ts";
import { FakeProbe } from "./fake-probe.ts";
import { FaultyDisk } from "./faulty-disk.ts";

export const BLUE = "http://127.0.0.1:8001";
export const GREEN = "http://127.0.0.1:8002";

/** A control plane's configuration: no state, no gates, checks without jitter, and retries of predictions. */
export function testConfig(changes: Partial<Config> = {}): Config {
  return {
    ...DEFAULTS,
    state: undefined,
    colors: { blue: { weight: 90, targets: [BLUE] }, green: { weight: 10, targets: [GREEN] } },
    health: { ...DEFAULTS.health, jitter: 0 },
    retry: { ...DEFAULTS.retry, on: ["connect", "reset"], idempotent_paths: ["/api/predict/"] },
    feedback: undefined,
    gates: { ...DEFAULTS.gates, usual: [] },
    ...changes,
  };
}

/** A control plane in which nothing is real but, where a folder is given, the disk. */
export async function testPlane(changes: Partial<Config> = {}, more: Partial<ControlPlaneOptions> = {}) {
  const [clock, channel, log, probe, faulty] = [
    new FakeClock(),
    new FakeChannel(),
    new FakeLog(),
    new FakeProbe(),
    new FaultyDisk(),
  ];
  const plane = await createControlPlane({
    config: testConfig(changes),
    channel,
    log,
    clock,
    version: "0.1.0",
    random: () => 0.5,
    disk: faulty,
    probe: probe.probe,
    resolve: async () => ["10.0.0.5"],
    ...more,
  });
  await plane.start();
  await clock.advance(500); // two passed checks make a target healthy
  return { plane, clock, channel, log, probe, disk: faulty, call: caller(plane) };
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there
  readonly body: any;
  readonly headers: Headers;
}

type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Calls the admin API without a socket; a string is sent as it is, anything else as JSON. */
function caller(plane: ControlPlane): Caller {
  return async (method, path, body, headers = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init =
      body === undefined ? {} : { body: text, headers: { "Content-Type": "application/json", ...headers } };
    const response = await plane.adminApp.request(path, { method, headers, ...init });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: jsonOr(answer) };
  };
}

/** A call whose answer a test waits for later. */
export function pending(call: Promise<Answer>): { answer: Answer | undefined } {
  const box: { answer: Answer | undefined } = { answer: undefined };
  void call.then((answer) => {
    box.answer = answer;
  });
  return box;
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
