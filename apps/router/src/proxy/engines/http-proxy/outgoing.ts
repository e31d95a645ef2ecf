import { Agent, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type httpProxy from "http-proxy";
import { type Field, requestFields } from "../../../core/forwarding.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import type { Admitted } from "../../../core/request-line.ts";
import { sharedLookup } from "../../../targets/shared-lookup.ts";
import type { Target } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { plainAddress } from "../../networks.ts";
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
  readonly #repeatable = pool(IDLE);
  readonly #once = pool(IDLE_ONCE);
  readonly #fresh = new Agent({ keepAlive: false, lookup: sharedLookup });

  for(repeatable: boolean): Agent {
    return repeatable ? this.#repeatable : this.#once;
  }

  /** Gives a new connection to each request. */
  get fresh(): Agent {
    return this.#fresh;
  }

  destroy(): void {
    this.#repeatable.destroy();
    this.#once.destroy();
    this.#fresh.destroy();
  }
}

function pool(idle: number): Agent {
  return new Agent({
    keepAlive: true,
    scheduling: "lifo",
    maxFreeSockets: 1024,
    timeout: idle,
    lookup: sharedLookup,
  });
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
    scheme: "http",
    requestId: exchange.id,
    httpVersion: request.httpVersion,
    drop: plane.config.override?.header,
  });
  const headers = grouped(fields);
  // Without this, http.request would send a chunked DELETE's body with no framing at all (http-proxy #1721).
  if (request.headers["transfer-encoding"] !== undefined) headers["Transfer-Encoding"] = "chunked";
  return headers;
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
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}
