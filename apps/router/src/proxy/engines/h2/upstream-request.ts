import { type Field, mayBeTrailer, requestFields } from "../../../core/forwarding.ts";
import type { Lease } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { plainAddress } from "../../networks.ts";
import { fieldOf } from "./fields.ts";
import type { Http2Head } from "./request-head.ts";
import type { UpstreamRequest } from "./upstream/upstream.ts";

/** All fields that a target gets on this attempt, `Host` first. */
export function fieldsFor(
  plane: DataPlane,
  exchange: Exchange,
  head: Http2Head,
  lease: Lease,
  host: string,
): readonly Field[] {
  const peer = plainAddress(exchange.facts.peer);
  const fields = requestFields(head.fields, {
    peer,
    trusted: plane.isTrusted(peer),
    host,
    scheme: plane.scheme,
    requestId: exchange.id,
    httpVersion: "2.0",
    drop: plane.config.override?.header,
    traced: exchange.traced,
  });
  return fields.concat(exchange.attemptFields(lease, head.isGrpc ? "2" : undefined));
}

/** @param trailers the client's, once its body is whole */
export function upstreamRequest(
  head: Http2Head,
  path: string,
  fields: readonly Field[],
  scheme: "http" | "https",
  trailers: () => readonly Field[],
): UpstreamRequest {
  const { method, isGrpc, ended } = head;
  return {
    ...{ method, path, fields, isGrpc, scheme },
    hasBody: !ended,
    wantsTrailers: /(?:^|,)\s*trailers\s*(?:,|$)/i.test(fieldOf(head.fields, "te") ?? ""),
    trailers: () =>
      trailers().filter(([name]) => (isGrpc ? !name.startsWith("x-sluice-") : mayBeTrailer(name))),
  };
}
