import type { Admitted } from "../../../core/request-line.ts";
import type { Exchange } from "../../exchange.ts";
import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";
import { keepsAlive } from "./keep-alive.ts";
import type { BodyFraming, RequestHeads } from "./request-head.ts";

/** What the client's head says beside the fields that go on. */
export interface RequestTraits {
  /** The head as the upstream gets it, up to the value of `Host`. */
  readonly line: string;
  /** Empty where an HTTP/1.0 client named none; the target's own authority stands in. */
  readonly host: string;
  /** What follows. */
  readonly fields: string;
  readonly framing: BodyFraming;
  readonly length: number;
  readonly minor: number;
  /** The client keeps its connection after the answer. */
  readonly keepAlive: boolean;
  readonly expects: boolean;
  /** It asks for another protocol. */
  readonly switching: boolean;
}

/** What is to be known of an admitted request once its head is no longer there. */
export function readTraits(
  head: Head,
  admitted: Admitted,
  exchange: Pick<Exchange, "id" | "traced">,
  heads: RequestHeads,
): RequestTraits {
  const lengthAt = head.find(FIELD.contentLength);
  const framing: BodyFraming = head.has(FIELD.transferEncoding)
    ? "chunked"
    : lengthAt >= 0
      ? "length"
      : "none";
  const length = framing === "length" ? Number(head.value(lengthAt)) : 0;
  const switching = framing === "none" && wantsWebSocket(head);
  const upgrade = switching ? head.value(head.find(FIELD.upgrade)) : undefined;
  return {
    line: `${head.method} ${admitted.path} HTTP/1.1\r\nHost: `,
    host: admitted.host,
    fields: heads.write(head, admitted.host, exchange, framing, upgrade),
    framing,
    length,
    minor: head.minor,
    // Whoever asked for another protocol and did not get it begins anew.
    keepAlive: !switching && keepsAlive(head),
    expects: head.minor === 1 && head.has(FIELD.expect),
    switching,
  };
}

/** Anything else with `Upgrade` is a plain request (RFC 9110 section 7.8); a body could be read as frames. */
function wantsWebSocket(head: Head): boolean {
  if (!head.has(FIELD.upgrade) || head.method !== "GET" || head.minor === 0) return false;
  return head.value(head.find(FIELD.upgrade)).toLowerCase() === "websocket";
}
