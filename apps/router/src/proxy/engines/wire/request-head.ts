import { forwardedFields, namedByConnection } from "../../../core/forwarding.ts";
import type { Exchange } from "../../exchange.ts";
import { fieldsOf } from "./admit-head.ts";
import { copyFields } from "./copy-fields.ts";
import { FIELD, kinds, OF_ONE_HOP } from "./field-kind.ts";
import type { Head } from "./head.ts";

/** How a request's body is delimited on the way to the upstream. */
export type BodyFraming = "none" | "length" | "chunked";

export interface RequestContext {
  /** Address of the connection's other end, without the IPv6 form of IPv4. */
  readonly peer: string;
  /** Its word about the client is taken. */
  readonly trusted: boolean;
  /** How the client has connected. */
  readonly scheme: "http" | "https";
  /** A further field to drop, in lower case: the configured override header. */
  readonly drop: string | undefined;
}

const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Claims of a proxy that is trusted are said anew by us; without one, only our own word counts. */
const CLAIMS = kinds(
  FIELD.forwardedFor,
  FIELD.forwarded,
  FIELD.forwardedProto,
  FIELD.forwardedHost,
  FIELD.claim,
  FIELD.via,
);

/** The kinds of field that never go on as they came. */
const DROPPED = OF_ONE_HOP | CLAIMS | kinds(FIELD.expect, FIELD.host);

/** The trace goes on under fields of our own. */
const DROPPED_AND_TRACE = DROPPED | kinds(FIELD.trace);

/** Writes the heads of one client connection's requests as upstreams get them. */
export class RequestHeads {
  readonly #context: RequestContext;
  /** What every request for the same host says alike. */
  #ownFor: string | undefined;
  #own = "";

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** What follows the `Host` line, with the empty line. `upgrade` is the protocol to switch to, or undefined. */
  write(
    head: Head,
    host: string,
    exchange: Pick<Exchange, "id" | "traced">,
    framing: BodyFraming,
    upgrade: string | undefined,
  ): string {
    const named = head.has(FIELD.connection) ? namedBy(head) : undefined;
    const kinds = exchange.traced ? DROPPED_AND_TRACE : DROPPED;
    const fields = copyFields(head, { kinds, named, also: this.#context.drop });
    let text = `${fields}${this.#forwarded(head, host)}X-Request-Id: ${exchange.id}\r\n`;
    if (framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
    // A method that usually has a body says that this one has none (RFC 9110 section 8.6).
    if (framing === "none" && WITH_BODY.has(head.method)) text += "Content-Length: 0\r\n";
    if (upgrade !== undefined) return `${text}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
    if (head.has(FIELD.te) && wantsTrailers(head)) return `${text}TE: trailers\r\nConnection: TE\r\n\r\n`;
    return `${text}\r\n`;
  }

  #forwarded(head: Head, host: string): string {
    if (
      head.minor === 1 &&
      ((head.seen & CLAIMS) === 0 || (!this.#context.trusted && !head.has(FIELD.via)))
    ) {
      if (this.#ownFor !== host) {
        this.#own = this.#say(undefined, host);
        this.#ownFor = host;
      }
      return this.#own;
    }
    return this.#say(head, host);
  }

  #say(head: Head | undefined, host: string): string {
    const { peer, trusted, scheme } = this.#context;
    const httpVersion = head ? `1.${head.minor}` : "1.1";
    const fields = head ? fieldsOf(head) : [];
    const by = { peer, trusted, host, scheme, requestId: "", httpVersion };
    return forwardedFields(fields, by)
      .filter(([name]) => name !== "X-Request-Id")
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }
}

/** The fields that `Connection` names; undefined for the usual `keep-alive` and `close`. */
export function namedBy(head: Head): ReadonlySet<string> | undefined {
  const first = head.find(FIELD.connection);
  if (head.find(FIELD.connection, first + 1) < 0) {
    const value = head.value(first).toLowerCase();
    if (value === "keep-alive" || value === "close") return undefined;
  }
  return namedByConnection(fieldsOf(head));
}

function wantsTrailers(head: Head): boolean {
  for (let i = head.find(FIELD.te); i >= 0; i = head.find(FIELD.te, i + 1)) {
    if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(head.value(i))) return true;
  }
  return false;
}
