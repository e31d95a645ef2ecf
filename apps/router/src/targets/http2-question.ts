import {
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { targetAddress } from "../core/target-address.ts";
import type { Dialer } from "./dialer.ts";

export interface Http2Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** Bytes of the answer's body that are read; with 0 the answer's head is the answer. */
  readonly limit: number;
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Those of the head where the answer is a head alone. */
  readonly trailers: IncomingHttpHeaders;
}

/** A head of a few fields is all that a check's answer needs. */
const SETTINGS = { enablePush: false, maxHeaderListSize: 16_384 };

/**
 * One request over HTTP/2, by ALPN inside TLS or else with prior knowledge, on a connection of its own, which is closed
 * at the end. Rejects with the system's or Node's error.
 */
export function askHttp2(
  dialer: Dialer,
  url: string,
  question: Http2Question,
  signal: AbortSignal,
): Promise<Http2Answer> {
  const address = targetAddress(url);
  const { authority } = address;
  const scheme = address.protocol === "https" ? "https" : "http";
  const { method, path, headers, body, limit } = question;
  return new Promise<Http2Answer>((resolve, reject) => {
    const socket = dialer.dial(address, { alpn: ["h2"] });
    const createConnection = () => socket;
    const session = connect(`${scheme}://${authority}`, { createConnection, settings: SETTINGS });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      settle();
      session.destroy();
    };
    const fail = (error: Error) => end(() => reject(origin(error)));
    const abort = () => fail(new Error("given up"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    session.on("error", fail);
    session.on("connect", () => {
      if (!agreedOnHttp2(socket)) session.destroy(fault("ERR_NO_HTTP2"));
    });
    if (session.destroyed) return;
    const fields = { ":method": method, ":path": path, ":authority": authority, ...headers };
    const stream = session.request(fields, { endStream: body === undefined });
    stream.on("error", fail);
    read(stream, limit, (answer) => end(() => resolve(answer)), fail);
    if (body) stream.end(body);
  });
}

/**
 * Whether a connection that is there may carry HTTP/2: with prior knowledge, or by ALPN inside TLS. To be asked when the
 * session has connected, which is before its first request is sent. To destroy the socket any earlier aborts the process (Node 24).
 */
export function agreedOnHttp2(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) || socket.alpnProtocol === "h2";
}

function read(
  stream: ClientHttp2Stream,
  limit: number,
  answered: (answer: Http2Answer) => void,
  fail: (error: Error) => void,
): void {
  let head: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = () => {
    if (!head) return fail(closed());
    answered({
      status: head[":status"] ?? 0,
      headers: head,
      body: Buffer.concat(chunks),
      trailers: trailers ?? head,
    });
  };
  stream.on("response", (headers) => {
    head = headers;
    if (limit === 0) finish();
  });
  stream.on("trailers", (headers) => {
    trailers = headers;
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) fail(new Error(`an answer of more than ${limit} bytes`));
    else chunks.push(chunk);
  });
  // An answer that breaks off with its connection has an end, too; only the reset's code tells.
  stream.on("close", () => (stream.rstCode === 0 ? finish() : fail(closed())));
}

/** A stream says no more than that it was canceled; its connection's error is the cause. */
export function origin(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error.code === "ERR_HTTP2_STREAM_CANCEL" && error.cause instanceof Error ? error.cause : error;
}

function closed(): Error {
  return fault("ECONNRESET");
}

function fault(code: string): Error {
  return Object.assign(new Error(code), { code });
}
