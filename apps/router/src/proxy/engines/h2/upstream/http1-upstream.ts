import { type Agent, type ClientRequest, type IncomingMessage, request as send } from "node:http";
import { responseFault } from "../../../../core/response-head.ts";
import { readyEvent } from "../../../../targets/dialer.ts";
import type { Target } from "../../../../targets/target.ts";
import { failure } from "../../failure.ts";
import { pairsOf } from "../fields.ts";
import type { Failure, Upstream, UpstreamReader, UpstreamRequest } from "./upstream.ts";

const NOTHING = Buffer.alloc(0);

/** A request of an HTTP/2 client at a target that speaks HTTP/1.1. */
export class Http1Upstream implements Upstream {
  readonly #request: UpstreamRequest;
  readonly #reader: UpstreamReader;
  readonly #chunked: boolean;
  readonly #out: ClientRequest;
  #response: IncomingMessage | undefined;
  #connected = false;
  #answered = false;
  #done = false;

  constructor(target: Target, agent: Agent, request: UpstreamRequest, reader: UpstreamReader) {
    this.#request = request;
    this.#reader = reader;
    this.#chunked = request.hasBody && !request.fields.some(([name]) => /^content-length$/i.test(name));
    const { host, port } = target;
    const { method, path } = request;
    this.#out = send({ host, port, method, path, headers: headersOf(request, this.#chunked), agent });
    this.#out.maxHeadersCount = 0; // Node would drop the rest in silence; their bytes are bounded
    this.#listen();
    if (request.hasBody)
      this.#out.write(NOTHING); // flushHeaders() would write them as UTF-8, and values are latin1
    else this.#out.end();
  }

  get destroyed(): boolean {
    return this.#out.destroyed;
  }

  write(chunk: Buffer): boolean {
    return this.#out.write(chunk);
  }

  end(): void {
    if (this.#chunked) this.#out.addTrailers(this.#request.trailers() as [string, string][]);
    this.#out.end();
  }

  once(event: "drain", listener: () => void): void {
    this.#out.once(event, listener);
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  cancel(): void {
    this.#done = true;
    this.#out.destroy();
  }

  #listen(): void {
    const out = this.#out;
    out.once("socket", (socket) => {
      if (socket.connecting) socket.once(readyEvent(socket), () => this.#reached());
      else this.#reached();
    });
    out.on("information", ({ statusCode, rawHeaders }) => {
      if (!this.#done) this.#reader.onInterim(statusCode, pairsOf(rawHeaders));
    });
    out.on("response", (response) => this.#read(response));
    out.on("upgrade", (_response, socket) => {
      socket.destroy();
      this.#fail({ outcome: "invalid_response" }); // nobody asked for 101
    });
    out.on("error", (error) => this.#broken(error));
    out.once("close", () => {
      this.#broken(undefined);
      this.#reader.onClosed();
    });
  }

  #reached(): void {
    if (this.#connected || this.#done) return;
    this.#connected = true;
    this.#reader.onConnected();
  }

  #read(response: IncomingMessage): void {
    this.#response = response;
    this.#answered = true;
    if (this.#done) return void response.resume();
    const { statusCode: status = 0, statusMessage: reason = "", httpVersion } = response;
    const fields = pairsOf(response.rawHeaders);
    if (responseFault({ status, reason, httpVersion, fields }) !== undefined) {
      this.#fail({ outcome: "invalid_response" });
      this.#out.destroy();
      return;
    }
    response.on("data", (chunk: Buffer) => {
      if (!this.#done) this.#reader.onData(chunk);
    });
    response.on("error", () => {});
    response.once("end", () => {
      if (!response.complete) return this.#fail({ outcome: "truncated" });
      if (this.#done) return;
      this.#done = true;
      this.#reader.onEnd(pairsOf(response.rawTrailers));
    });
    response.once("close", () => this.#broken(undefined));
    this.#reader.onHead({ status, httpVersion, fields, ended: false });
  }

  #broken(error: NodeJS.ErrnoException | undefined): void {
    if (this.#answered) return this.#fail({ outcome: "truncated" });
    const outcome = failure(error, this.#connected);
    const stale = outcome === "reset" && this.#out.reusedSocket;
    this.#fail(stale ? { outcome, stale: "connection" } : { outcome });
  }

  #fail(failed: Failure): void {
    if (this.#done) return;
    this.#done = true;
    this.#reader.onFailed(failed);
  }
}

function headersOf(request: UpstreamRequest, chunked: boolean): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  const names = new Map<string, string>();
  for (const [name, value] of request.fields) {
    const known = names.get(name.toLowerCase());
    if (known === undefined) {
      names.set(name.toLowerCase(), name);
      headers[name] = value;
    } else headers[known] = ([] as string[]).concat(headers[known]!, value);
  }
  if (chunked) headers["Transfer-Encoding"] = "chunked";
  if (request.wantsTrailers) {
    headers.TE = "trailers";
    headers.Connection = "TE, keep-alive";
  }
  return headers;
}
