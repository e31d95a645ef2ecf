import type { Admitted } from "../../../core/request-line.ts";
import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";
import type { BodyFraming, RequestHeads } from "./request-head.ts";
import type { RequestTraits } from "./transaction.ts";
import { keepsAlive } from "./upstream-connection.ts";

/** What is to be known of an admitted request once its head is no longer there. */
export function readTraits(
  head: Head,
  admitted: Admitted,
  requestId: string,
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
    fields: heads.write(head, admitted.host, requestId, framing, upgrade),
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
