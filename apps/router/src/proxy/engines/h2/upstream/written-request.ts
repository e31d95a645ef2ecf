import type { Field } from "../../../../core/forwarding.ts";
import { isGrpc } from "../../../../core/grpc.ts";
import { ChunkDecoder, FAULT } from "../../wire/chunked.ts";
import { readFields } from "../../wire/request-writer.ts";
import type { UpstreamRequest } from "./upstream.ts";

/** What concerns the connection that an engine believes it writes to (RFC 9113 section 8.2.2). */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);
/** Bytes that a trailer section may have. */
const MOST_TRAILER = 8192;

/** Reads the one request that an engine writes in HTTP/1.1. Its bytes are our own, so that only their framing is read. */
export class WrittenRequest {
  /** Once it is there. */
  head: UpstreamRequest | undefined;
  method = "";
  complete = false;
  #text = Buffer.alloc(0) as Buffer;
  #rest = 0;
  #chunks: ChunkDecoder | undefined;
  #pieces: Buffer[] = [];
  #trailers: readonly Field[] = [];

  /** Reads on. @returns the content that was in these bytes; undefined where they are not what an engine writes */
  read(bytes: Buffer): readonly Buffer[] | undefined {
    this.#pieces = [];
    if (this.head !== undefined) return this.#readBody(bytes);
    this.#text = this.#text.length === 0 ? bytes : Buffer.concat([this.#text, bytes]);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return this.#pieces;
    this.#readHead(this.#text.toString("latin1", 0, end + 4));
    return this.#readBody(this.#text.subarray(end + 4));
  }

  #readHead(text: string): void {
    const line = text.indexOf("\r\n");
    const [method = "", path = ""] = text.slice(0, line).split(" ");
    const fields = readFields(text.slice(line + 2));
    const value = (wanted: string) => fields.find(([name]) => name.toLowerCase() === wanted)?.[1];
    if (value("transfer-encoding") !== undefined) {
      const sink = { onData: (from: Buffer, start: number, end: number) => this.#take(from, start, end) };
      this.#chunks = new ChunkDecoder(sink, MOST_TRAILER);
    } else this.#rest = Number(value("content-length") ?? 0);
    this.method = method;
    this.head = {
      method,
      path,
      fields: fields.filter(([name]) => !OF_CONNECTION.has(name.toLowerCase())),
      hasBody: this.#chunks !== undefined || this.#rest > 0,
      isGrpc: isGrpc(value("content-type")),
      wantsTrailers: /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value("te") ?? ""),
      scheme: value("x-forwarded-proto") === "https" ? "https" : "http",
      trailers: () => this.#trailers,
    };
  }

  #readBody(bytes: Buffer): readonly Buffer[] | undefined {
    const chunks = this.#chunks;
    if (chunks === undefined) {
      const end = Math.min(this.#rest, bytes.length);
      this.#take(bytes, 0, end);
      this.#rest -= end;
      this.complete = this.#rest === 0;
      return this.#pieces;
    }
    if (chunks.read(bytes, 0, bytes.length) === FAULT) return undefined;
    if (chunks.done && !this.complete) {
      this.complete = true;
      if (chunks.trailer !== "\r\n") this.#trailers = readFields(`${chunks.trailer}\r\n`);
    }
    return this.#pieces;
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.#pieces.push(bytes.subarray(start, end));
  }
}
