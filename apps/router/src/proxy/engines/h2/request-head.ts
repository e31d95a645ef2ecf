import type { Field } from "../../../core/forwarding.ts";
import { isGrpc } from "../../../core/grpc.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { type Admitted, admit, type HeadLimits, type Refusal } from "../../../core/request-line.ts";
import { fieldsOfRaw } from "./fields.ts";

/** A request's head as HTTP/2 brings it. nghttp2 has checked its form (RFC 9113 sections 8.2 and 8.3). */
export interface Http2Head {
  readonly method: string;
  /** `:path`; empty where there is none, as for CONNECT. */
  readonly target: string;
  readonly authority: string | undefined;
  /** In the order of arrival; cookies in one field (RFC 9113 section 8.2.3). */
  readonly fields: readonly Field[];
  /** Bytes of names and values. */
  readonly size: number;
  /** The stream ends with it. */
  readonly ended: boolean;
  readonly isGrpc: boolean;
}

export function readHead(raw: readonly string[], ended: boolean): Http2Head {
  let size = 0;
  const pseudo: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    size += raw[i]!.length + raw[i + 1]!.length;
    if (raw[i]!.startsWith(":")) pseudo[raw[i]!] = raw[i + 1]!;
  }
  const fields = oneCookie(fieldsOfRaw(raw));
  const type = fields.find(([name]) => name === "content-type")?.[1];
  const method = pseudo[":method"] ?? "";
  const { ":path": target = "", ":authority": authority } = pseudo;
  return { method, target, authority, fields, size, ended, isGrpc: method === "POST" && isGrpc(type) };
}

/** The rules of `core/request-line`, and those that only HTTP/2 needs. */
export function admitHttp2(head: Http2Head, limits: HeadLimits & { header: number }): Admitted | Refusal {
  if (head.size > limits.header) return HEADER_TOO_LARGE;
  const named = head.fields.find(([name]) => name === "host")?.[1];
  if (head.authority !== undefined && named !== undefined && named !== head.authority) return TWO_HOSTS;
  // nghttp2 looks at the path only where the scheme is http or https; an absolute one would name another host.
  if (head.method !== "CONNECT" && !/^(?:\/|\*$)/.test(head.target)) return NO_PATH;
  const host = head.authority ?? named;
  const rest = head.fields.filter(([name]) => name !== "host");
  const fields: Field[] = host === undefined ? rest : [["Host", host], ...rest];
  return admit({ method: head.method, target: head.target, fields, httpVersion: "1.1" }, limits);
}

/** The facts that decide about a request. */
export function factsOfHead(head: Http2Head, path: string, peer: string): RequestFacts {
  const header = (name: string) => {
    if (name === "host" && head.authority !== undefined) return head.authority;
    const values = head.fields.filter((field) => field[0] === name).map((field) => field[1]);
    return values.length === 0 ? undefined : values.join(", ");
  };
  return { method: head.method, path, peer, header, httpVersion: "2" };
}

function oneCookie(fields: Field[]): Field[] {
  const crumbs = fields.filter(([name]) => name === "cookie");
  if (crumbs.length < 2) return fields;
  const cookie: Field = ["cookie", crumbs.map(([, value]) => value).join("; ")];
  return [...fields.filter(([name]) => name !== "cookie"), cookie];
}

const HEADER_TOO_LARGE: Refusal = {
  status: 431,
  title: "Request Header Fields Too Large",
  detail: "The request's header is larger than limits.header allows.",
};
const NO_PATH: Refusal = {
  status: 400,
  title: "Bad Request",
  detail: "The request's :path does not begin with a slash.",
};
const TWO_HOSTS: Refusal = {
  status: 400,
  title: "Bad Request",
  detail: "The request's :authority and Host differ.",
};
