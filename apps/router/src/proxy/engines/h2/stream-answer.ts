import { constants, type ServerHttp2Stream } from "node:http2";
import { type Field, mayBeTrailer, responseFields } from "../../../core/forwarding.ts";
import { GRPC, grpcMessage } from "../../../core/grpc.ts";
import type { Exchange } from "../../exchange.ts";
import { ownFields, type Problem, problemContent } from "../problem.ts";
import { flatFields, grouped } from "./fields.ts";
import { resetStream } from "./reset-stream.ts";
import type { UpstreamHead } from "./upstream/upstream.ts";

/** Interim answers that one request may have. */
const MOST_INTERIM = 32;
/** Milliseconds that a client may take to read an answer of the router's own. */
const LAST_WORD = 10_000;
/** What our own fields in an answer's trailers would be taken for. */
const OURS = /^(?:x-sluice-.*|x-request-id)$/;

/** The answer to one stream, as its client gets it. */
export class StreamAnswer {
  /** 0 before its head has been written. */
  status = 0;
  /** Of the body. */
  bytes = 0;
  /** All of it has been written, though not yet read by the client. */
  ended = false;
  readonly #stream: ServerHttp2Stream;
  readonly #isGrpc: boolean;
  readonly #toHead: boolean;
  #interim = 0;
  #trailers: readonly Field[] = [];

  /** @param toHead the request was HEAD */
  constructor(stream: ServerHttp2Stream, isGrpc: boolean, toHead: boolean) {
    this.#stream = stream;
    this.#isGrpc = isGrpc;
    this.#toHead = toHead;
  }

  /** @returns false where there are too many of them */
  interim(status: number, fields: readonly Field[]): boolean {
    if (++this.#interim > MOST_INTERIM) return false;
    // Our own 100 is the only one (RFC 9110 section 15.2.1).
    if (status === 100 || status === 101 || !this.#writable) return true;
    const kept = responseFields(fields, { httpVersion: "2.0", status }).filter(([name]) => name !== "Via");
    this.#stream.additionalHeaders({ ":status": status, ...grouped(kept) });
    return true;
  }

  /** The body is wanted (RFC 9110 section 10.1.1). */
  continue(): void {
    if (this.#writable && this.status === 0) this.#stream.additionalHeaders({ ":status": 100 });
  }

  /** @throws where Node refuses to write such a head */
  head(head: UpstreamHead, exchange: Exchange): void {
    const { status, httpVersion, ended } = head;
    const fields = responseFields(head.fields, { httpVersion, status }).concat(ownFields(exchange));
    this.#respond(status, fields, ended || status === 204 || status === 304 || this.#toHead);
  }

  /** A part of the body. @returns false when the client has to catch up first */
  part(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    return this.ended || !this.#writable || this.#stream.write(chunk);
  }

  end(trailers: readonly Field[]): void {
    if (this.ended) return;
    this.ended = true;
    this.#trailers = trailers.filter(([name]) => (this.#isGrpc ? !OURS.test(name) : mayBeTrailer(name)));
    this.#stream.end();
  }

  /** No target has answered, or none was asked. @param grpc what a gRPC client is told instead */
  problem(problem: Problem, grpc: number, own: readonly Field[], requestId: string): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    const fields = [...(problem.fields ?? []), ...own];
    if (this.#isGrpc) {
      const message = grpcMessage(problem.detail);
      const call: Field[] = [
        ["content-type", "application/grpc"],
        ["grpc-status", String(grpc)],
        ["grpc-message", message],
      ];
      return this.#respond(200, [...call, ...fields], true);
    }
    const { type, body } = problemContent(problem, requestId);
    const length = Buffer.byteLength(body);
    const head: Field[] = [
      ["content-type", type],
      ["content-length", String(length)],
    ];
    this.#respond(problem.status, [...head, ...fields], this.#toHead);
    if (this.ended) return;
    this.bytes = length;
    this.#stream.setTimeout(LAST_WORD, () => this.reset(constants.NGHTTP2_CANCEL));
    this.#stream.write(body);
    this.end([]);
  }

  /** The call's deadline has passed in the middle of its answer. */
  deadline(): void {
    if (this.#stream.writableLength > 0) return this.reset(constants.NGHTTP2_CANCEL);
    this.end([
      ["grpc-status", String(GRPC.deadlineExceeded)],
      ["grpc-message", "The deadline of the call has passed."],
    ]);
  }

  /** It broke off, and must not be taken for whole. */
  reset(code: number): void {
    resetStream(this.#stream, code);
  }

  get #writable(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && this.#stream.writable;
  }

  #respond(status: number, fields: readonly Field[], ended: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const head = flatFields(fields, [":status", String(status)]);
    stream.respond(head as never, { endStream: ended, waitForTrailers: !ended });
    this.status = status;
    this.ended = ended;
    if (ended) setImmediate(() => this.#dropRest());
    else stream.once("wantTrailers", () => this.#finish());
  }

  #finish(): void {
    if (this.#stream.closed) return;
    this.#stream.sendTrailers(grouped(this.#trailers));
    setImmediate(() => this.#dropRest());
  }

  /** What still comes of a request that is answered is not wanted (RFC 9113 section 8.1). */
  #dropRest(): void {
    const stream = this.#stream;
    if (!stream.closed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
    if (!stream.destroyed) stream.resume();
  }
}
