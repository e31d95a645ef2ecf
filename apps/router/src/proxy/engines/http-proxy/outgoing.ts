import { Agent, type AgentOptions, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type httpProxy from "http-proxy";
import { type Field, requestFields } from "../../../core/forwarding.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import type { Admitted } from "../../../core/request-line.ts";
import type { Dialer } from "../../../targets/dialer.ts";
import type { Target } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { plainAddress } from "../../networks.ts";
import { Http1Face } from "../h2/upstream/http1-face.ts";
import type { Http2Pool } from "../h2/upstream/pool.ts";
import { fieldsOf } from "./answer.ts";

/** Common servers close idle connections after 5 s (Node, uvicorn); going first avoids most races. */
const IDLE = 4000;
/** A POST that may not be repeated takes only a connection that was in use a moment ago. */
const IDLE_ONCE = 1000;

/**
 * Pools of connections to targets. `maxSockets` has no cap: limits belong to clients, not to the way behind us. An idle
 * connection on which bytes arrive is closed by the Agent, so that they are nobody's answer.
 */
export class Pools {
  readonly #plain: PoolsOf;
  readonly #secure: PoolsOf;
  /** Of targets that speak HTTP/2 alone. */
  readonly #faces = new WeakMap<Target, Agent>();
  readonly #http2: Http2Pool;

  /** @param http2 connections to targets that speak HTTP/2 */
  constructor(dialer: Dialer, http2: Http2Pool) {
    this.#http2 = http2;
    this.#plain = new PoolsOf(dialer, "http");
    this.#secure = new PoolsOf(dialer, "https");
  }

  for(target: Target, repeatable: boolean): Agent {
    if (target.protocol === "h2c") return this.#face(target);
    const pools = this.#of(target);
    return repeatable ? pools.repeatable : pools.once;
  }

  /** Gives a new connection to each request. */
  fresh(target: Target): Agent {
    if (target.protocol === "h2c") return new FaceAgent(this.#http2, target, true);
    return this.#of(target).fresh;
  }

  destroy(): void {
    this.#http2.close();
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #face(target: Target): Agent {
    const known = this.#faces.get(target);
    if (known !== undefined) return known;
    const agent = new FaceAgent(this.#http2, target, false);
    this.#faces.set(target, agent);
    return agent;
  }

  #of({ protocol }: Target): PoolsOf {
    return protocol === "https" ? this.#secure : this.#plain;
  }
}

/** An Agent knows a target by host and port alone, so those inside TLS have Agents of their own. */
class PoolsOf {
  readonly repeatable: Agent;
  readonly once: Agent;
  readonly fresh: Agent;

  constructor(dialer: Dialer, protocol: "http" | "https") {
    const pool = (options: AgentOptions) => new DialingAgent(dialer, protocol, options);
    const kept = { keepAlive: true, scheduling: "lifo", maxFreeSockets: 1024 } as const;
    this.repeatable = pool({ ...kept, timeout: IDLE });
    this.once = pool({ ...kept, timeout: IDLE_ONCE });
    this.fresh = pool({ keepAlive: false });
  }

  destroy(): void {
    for (const agent of [this.repeatable, this.once, this.fresh]) agent.destroy();
  }
}

class DialingAgent extends Agent {
  readonly #dialer: Dialer;
  readonly #protocol: "http" | "https";

  constructor(dialer: Dialer, protocol: "http" | "https", options: AgentOptions) {
    super(options);
    this.#dialer = dialer;
    this.#protocol = protocol;
  }

  override createConnection(options: { host?: string | null; port?: number | string | null }) {
    const where = { protocol: this.#protocol, host: String(options.host), port: Number(options.port) };
    return this.#dialer.dial(where);
  }
}

/** Each request has a face of its own; the connections behind them are the pool's. */
class FaceAgent extends Agent {
  readonly #make: () => Http1Face;

  constructor(pool: Http2Pool, target: Target, fresh: boolean) {
    super({ keepAlive: false });
    this.#make = () => new Http1Face(pool, target, fresh);
  }

  override createConnection() {
    return this.#make();
  }
}

type Way = NonNullable<httpProxy.ServerOptions["target"]>;

const ways = new WeakMap<Target, Way>();

/** http-proxy's words for a target; made once, because it would parse a URL for each request. */
export function wayTo(target: Target): Way {
  const known = ways.get(target);
  if (known !== undefined) return known;
  const way = { protocol: "http:", host: target.host, hostname: target.host, port: String(target.port) };
  ways.set(target, way as Way);
  return way as Way;
}

/** The header fields that an upstream gets. Framing is said anew: it belongs to this connection (RFC 9112 section 6). */
export function outgoingHeaders(
  plane: DataPlane,
  request: IncomingMessage,
  exchange: Exchange,
  admitted: Admitted,
): OutgoingHttpHeaders {
  const peer = plainAddress(exchange.facts.peer);
  const fields = requestFields(fieldsOf(request), {
    peer,
    trusted: plane.isTrusted(peer),
    host: admitted.host,
    scheme: plane.scheme,
    requestId: exchange.id,
    httpVersion: request.httpVersion,
    drop: plane.config.override?.header,
    traced: exchange.traced,
  });
  const headers = grouped(fields);
  // Without this, http.request would send a chunked DELETE's body with no framing at all (http-proxy #1721).
  if (request.headers["transfer-encoding"] !== undefined) headers["Transfer-Encoding"] = "chunked";
  return headers;
}

/** Fields of one attempt, which replace those of the one before. */
export function addFields(request: IncomingMessage, fields: readonly Field[]): void {
  for (const [name, value] of fields) request.headers[name] = value;
}

/** Repeated fields stay repeated; names keep the case of their first appearance. */
function grouped(fields: readonly Field[]): OutgoingHttpHeaders {
  const names = new Map<string, string>();
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const known = names.get(lower);
    if (known === undefined) {
      names.set(lower, name);
      headers[name] = value;
    } else headers[known] = ([] as string[]).concat(headers[known] as string | string[], value);
  }
  return headers;
}

/** The other way round: the fields that {@link outgoingHeaders} made. */
export function sentFields(headers: OutgoingHttpHeaders): Field[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): Field => [name, String(each)]),
  );
}

/** What the exchange needs to know of a request. */
export function factsOf(request: IncomingMessage, path: string): RequestFacts {
  const { headers } = request;
  return {
    method: request.method!,
    path,
    peer: request.socket.remoteAddress ?? "",
    httpVersion: request.httpVersion,
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}
