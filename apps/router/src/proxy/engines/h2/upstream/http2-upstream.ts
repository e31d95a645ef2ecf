import { type ClientHttp2Stream, constants } from "node:http2";
import type { Field } from "../../../../core/forwarding.ts";
import { refusedUs } from "../../../../targets/dialer.ts";
import { origin } from "../../../../targets/http2-question.ts";
import { failure } from "../../failure.ts";
import { endsWhole } from "../ends-whole.ts";
import { fieldsOfRaw, flatFields, grouped } from "../fields.ts";
import { resetStream } from "../reset-stream.ts";
import type { UpstreamSession } from "./session.ts";
import type { Failure, Upstream, UpstreamReader, UpstreamRequest } from "./upstream.ts";

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = constants;

/** A request on a stream of its own at a target that speaks HTTP/2. */
export class Http2Upstream implements Upstream {
  readonly #session: UpstreamSession;
  readonly #reader: UpstreamReader;
  readonly #request: UpstreamRequest;
  #stream: ClientHttp2Stream | undefined;
  /** Comes before the session's own. */
  #error: NodeJS.ErrnoException | undefined;
  #done = false;
  #isWhole: () => boolean = () => false;
  #trailers: readonly Field[] = [];

  constructor(session: UpstreamSession, request: UpstreamRequest, reader: UpstreamReader) {
    this.#session = session;
    this.#reader = reader;
    this.#request = request;
    try {
      this.#stream = session.open(headersOf(request), !request.hasBody);
      this.#listen(this.#stream);
    } catch {
      // its connection has gone in this very moment, and nothing was sent
      process.nextTick(() => {
        this.#end({ outcome: "refused", stale: "unprocessed" });
        reader.onClosed();
      });
    }
  }

  get destroyed(): boolean {
    return this.#stream === undefined || this.#stream.destroyed || this.#stream.writableEnded;
  }

  write(chunk: Buffer): boolean {
    return this.#stream!.write(chunk);
  }

  end(): void {
    this.#stream?.end();
  }

  once(_event: "drain", listener: () => void): void {
    this.#stream?.once("drain", listener);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  cancel(): void {
    this.#done = true;
    if (this.#stream) resetStream(this.#stream, NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream): void {
    this.#isWhole = endsWhole(stream);
    if (this.#session.connected) process.nextTick(() => this.#connected());
    else this.#session.http2.once("connect", () => this.#connected());
    stream.on("wantTrailers", () => {
      if (!stream.closed) stream.sendTrailers(grouped(this.#request.trailers()));
    });
    stream.on("headers", (headers, _flags, raw) => {
      if (!this.#done) this.#reader.onInterim(Number(headers[":status"]), fieldsOfRaw(raw));
    });
    stream.on("response", (headers, flags, raw) => {
      if (this.#done) return;
      const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const status = Number(headers[":status"]);
      this.#reader.onHead({ status, httpVersion: "2.0", fields: fieldsOfRaw(raw), ended });
    });
    stream.on("trailers", (_headers, _flags, raw) => {
      this.#trailers = fieldsOfRaw(raw as readonly string[]);
    });
    stream.on("data", (chunk: Buffer) => {
      if (!this.#done) this.#reader.onData(chunk);
    });
    stream.on("end", () => {
      // A server may end an answer and reset it in one go; its trailers are its last word.
      if (this.#trailers.length > 0) this.#finish();
      else setImmediate(() => this.#finish());
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#error = error;
    });
    stream.on("close", () => this.#closed(stream));
  }

  #connected(): void {
    if (!this.#done && this.#session.connected) this.#reader.onConnected();
  }

  #closed(stream: ClientHttp2Stream): void {
    this.#finish();
    this.#end(this.#failure(stream));
    this.#reader.onClosed();
  }

  #finish(): void {
    if (this.#isWhole() && (this.#stream?.rstCode ?? NGHTTP2_NO_ERROR) === NGHTTP2_NO_ERROR)
      this.#end(undefined);
  }

  #end(failed: Failure | undefined): void {
    if (this.#done) return;
    this.#done = true;
    if (failed) this.#reader.onFailed(failed);
    else this.#reader.onEnd(this.#trailers);
  }

  #failure({ rstCode = NGHTTP2_NO_ERROR, id }: ClientHttp2Stream): Failure {
    const session = this.#session;
    if (session.late) return { outcome: "connect_timeout" };
    const unprocessed =
      rstCode === NGHTTP2_REFUSED_STREAM || (id !== undefined && id > session.lastProcessed);
    if (unprocessed) return { outcome: "refused", stale: "unprocessed" };
    const error = session.error ?? this.#error;
    if (!session.connected) return { outcome: failure(error && origin(error), false) };
    if (refusedUs(error)) return { outcome: "tls_failed" };
    if (error?.code === "ERR_HTTP2_ERROR") return { outcome: "invalid_response" };
    if (session.error === undefined && !session.http2.destroyed) return { outcome: "reset", code: rstCode };
    return session.used ? { outcome: "reset", stale: "connection" } : { outcome: "reset" };
  }
}

/** The head in HTTP/2's terms (RFC 9113 section 8.3.1). */
function headersOf(request: UpstreamRequest): string[] {
  const { method, path, scheme, fields, wantsTrailers } = request;
  const host = fields.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
  const headers = [":method", method, ":scheme", scheme, ":path", path];
  if (host !== "") headers.push(":authority", host);
  flatFields(fields, headers, (name) => name === "host");
  if (wantsTrailers) headers.push("te", "trailers");
  return headers;
}
