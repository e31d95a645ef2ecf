import { STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Field } from "../../../../core/forwarding.ts";
import type { Target } from "../../../../targets/target.ts";
import { UpstreamFault } from "../../failure.ts";
import type { Http2Pool } from "./pool.ts";
import type { Failure, Upstream, UpstreamHead, UpstreamReader } from "./upstream.ts";
import { WrittenRequest } from "./written-request.ts";

type Done = (error?: Error | null) => void;

/** Statuses without a body, whatever their fields say (RFC 9110 section 6.4.1). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/**
 * A socket that speaks HTTP/1.1 with an engine, and carries the one request that is written to it on a stream of HTTP/2:
 * so an engine reaches targets that speak HTTP/2 alone by all that it has for HTTP/1.1. The answer says that the
 * connection ends with it. What goes wrong is an {@link UpstreamFault}.
 */
export class Http1Face extends Socket implements UpstreamReader {
  readonly #pool: Http2Pool;
  readonly #target: Target;
  readonly #fresh: boolean;
  readonly #request = new WrittenRequest();
  #upstream: Upstream | undefined;
  #chunked = false;
  #answered = false;

  /** @param fresh on a new connection, because a kept one turned out to be stale */
  constructor(pool: Http2Pool, target: Target, fresh = false) {
    super({ allowHalfOpen: true });
    this.#pool = pool;
    this.#target = target;
    this.#fresh = fresh;
    this.#setConnecting(true);
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    this.#take(bytesOf(chunk, encoding), done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: Done): void {
    this.#take(Buffer.concat(chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding))), done);
  }

  override _final(done: Done): void {
    done();
  }

  override _read(): void {
    this.#upstream?.resume();
  }

  override _destroy(error: Error | null, done: Done): void {
    // A request that was answered before its end is not wanted any more.
    if (!this.#answered || !this.#request.complete) this.#upstream?.cancel();
    super._destroy(error, done);
  }

  onConnected(): void {
    if (!this.connecting) return;
    this.#setConnecting(false);
    this.emit("connect");
    this.emit("ready");
  }

  onInterim(status: number, fields: readonly Field[]): void {
    this.push(headText(status, fields));
  }

  onHead({ status, fields, ended }: UpstreamHead): void {
    const sized = fields.some(([name]) => name.toLowerCase() === "content-length");
    const bare = BODILESS.has(status) || this.#request.method === "HEAD";
    this.#chunked = !ended && !sized && !bare;
    const framing: Field[] = [["Connection", "close"]];
    if (this.#chunked) framing.push(["Transfer-Encoding", "chunked"]);
    else if (ended && !sized && !bare) framing.push(["Content-Length", "0"]);
    this.push(headText(status, [...fields, ...framing]));
  }

  onData(chunk: Buffer): void {
    const size = this.#chunked ? [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, CRLF] : [];
    if (!this.push(this.#chunked ? Buffer.concat(size) : chunk)) this.#upstream!.pause();
  }

  onEnd(trailers: readonly Field[]): void {
    this.#answered = true;
    if (this.#chunked) this.push(`0\r\n${fieldLines(trailers)}\r\n`, "latin1");
  }

  onFailed(failed: Failure): void {
    this.destroy(new UpstreamFault(failed.outcome));
  }

  onClosed(): void {}

  /** As a socket of the system's would say it. */
  #setConnecting(connecting: boolean): void {
    Object.assign(this, { connecting });
  }

  #take(bytes: Buffer, done: Done): void {
    const request = this.#request;
    const pieces = request.read(bytes);
    if (pieces === undefined) return done(new UpstreamFault("bad_request"));
    if (this.#upstream === undefined && request.head !== undefined) {
      this.#upstream = this.#pool.open(this.#target, request.head, this, this.#fresh);
    }
    this.#send(pieces, done);
  }

  #send(pieces: readonly Buffer[], done: Done): void {
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.destroyed) return done(); // its reader hears why
    let room = true;
    for (const piece of pieces) room = upstream.write(piece);
    if (this.#request.complete) {
      if (this.#request.head!.hasBody) upstream.end();
      done();
    } else if (room) done();
    else upstream.once("drain", done);
  }
}

const CRLF = Buffer.from("\r\n");

function bytesOf(chunk: Buffer | string, encoding: BufferEncoding): Buffer {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
}

function headText(status: number, fields: readonly Field[]): Buffer {
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${fieldLines(fields)}\r\n`;
  return Buffer.from(text, "latin1");
}

function fieldLines(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
