import { type Outcome, outcomeRow } from "../../src/core/outcome.ts";
import type { RequestFacts } from "../../src/core/request-facts.ts";
import type { DataPlane } from "../../src/proxy/data-plane.ts";
import type { Exchange } from "../../src/proxy/exchange.ts";
import type { Lease } from "../../src/targets/target.ts";

/** The URL of a target that no test opens. */
export const url = (port: number): string => `http://127.0.0.1:${port}`;

export interface RequestSpec {
  readonly method?: string;
  readonly path?: string;
  readonly peer?: string;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function request({ method = "GET", path = "/", peer = "127.0.0.1", headers = {} }: RequestSpec = {}) {
  return { method, path, peer, header: (name) => headers[name] } satisfies RequestFacts;
}

export interface Sent {
  readonly exchange: Exchange;
  /** Ports of the targets that were attempted, in order. */
  readonly ports: readonly number[];
  readonly status: number;
}

/** A request through its whole life, as an engine without sockets: `ending` says how each attempt ends. */
export function send(
  plane: DataPlane,
  spec: RequestSpec = {},
  ending: (lease: Lease, attempt: number) => Outcome = () => "answered",
): Sent {
  const exchange = plane.begin(request(spec));
  const ports: number[] = [];
  for (;;) {
    const lease = exchange.claim();
    const outcome = lease ? ending(lease, ports.push(lease.target.port)) : "no_target";
    if (lease) {
      if (outcome.startsWith("answered")) exchange.firstByte(lease);
      exchange.settle(lease, outcome);
      lease.release();
      if (exchange.retries(outcome)) continue;
    }
    const { status } = outcomeRow(outcome);
    exchange.finish(status, outcome, 0);
    return { exchange, ports, status };
  }
}

/** How many of `times` requests each color was assigned. */
export function assignedOf(plane: DataPlane, times: number, spec: (i: number) => RequestSpec = () => ({})) {
  const counts: Record<string, number> = Object.fromEntries(plane.colors.map(({ name }) => [name, 0]));
  for (let i = 0; i < times; i++) counts[send(plane, spec(i)).exchange.assigned.name]! += 1;
  return counts;
}
