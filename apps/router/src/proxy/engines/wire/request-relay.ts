import type { Outcome } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange } from "../../exchange.ts";
import type { SentRequest } from "../../tap.ts";
import type { AnswerReader } from "./answer-reader.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import { isStuck, lasting } from "./reads.ts";
import { type AnyBody, type BodySink, NO_BODY, RequestBody } from "./request-body.ts";
import { readFields, sendRequest, writeBodyEnd, writePiece } from "./request-writer.ts";
import type { RequestTraits } from "./traits.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** A request's way from its client to the target that it is at: its head at once, its body as it comes. */
export abstract class RequestRelay implements BodySink {
  readonly body: AnyBody;
  protected readonly engine: Engine;
  protected readonly client: ClientConnection;
  protected readonly exchange: Exchange;
  protected readonly traits: RequestTraits;
  /** The request was HEAD. */
  protected readonly toHead: boolean;
  /** To the target that it is at; undefined between two, and once it is over. */
  protected upstream: UpstreamConnection | undefined;
  #continued = false;

  constructor(engine: Engine, client: ClientConnection, exchange: Exchange, traits: RequestTraits) {
    this.engine = engine;
    this.client = client;
    this.exchange = exchange;
    this.traits = traits;
    this.toHead = exchange.facts.method === "HEAD";
    this.body =
      traits.framing === "none"
        ? NO_BODY
        : new RequestBody(engine.plane, exchange, traits.framing, traits.length, this);
  }

  /** The client is gone, or its message is at fault. */
  abstract giveUp(why: Outcome): void;

  /** A target takes the body as fast as the client sends it. */
  get writable(): boolean {
    return this.upstream === undefined || !isStuck(this.upstream.socket);
  }

  /** Sends what there is of the request, on a connection that {@link upstream} is, or that races with it. */
  protected send(upstream: UpstreamConnection, reader: AnswerReader, lease: Lease, switching: boolean): void {
    upstream.begin(reader, lease, this.toHead, switching);
    sendRequest(upstream, this.traits, this.exchange.attemptFields(lease), this.body);
  }

  /** Has the client send the rest. An earlier target may have taken no more of it. */
  protected askForRest(): void {
    if (this.body.complete) return;
    this.#continue();
    if (this.writable) this.client.resumeBody();
  }

  /** A client that expects it is told once that its body is wanted (RFC 9110 section 10.1.1). */
  #continue(): void {
    if (!this.traits.expects || this.#continued) return;
    this.#continued = true;
    this.client.write("HTTP/1.1 100 Continue\r\n\r\n");
  }

  onPiece(piece: Buffer): void {
    if (this.upstream === undefined) return;
    writePiece(this.upstream.socket, this.body.framing === "chunked", lasting(piece));
    if (this.writable) return;
    this.client.pauseBody();
    this.upstream.awaitDrain();
  }

  onBodyEnd(): void {
    if (this.upstream === undefined) return;
    writeBodyEnd(this.upstream.socket, this.body);
    this.upstream.requestSent();
  }

  onBodyFault(outcome: "bad_request" | "body_too_large"): void {
    this.giveUp(outcome);
  }

  onDrain(): void {
    this.client.resumeBody();
  }

  mayResend(): boolean {
    const { method, path } = this.exchange.facts;
    return this.exchange.bodyKept && this.engine.plane.isRepeatable(method, path);
  }

  /** The request as its target got it, for whoever looks on. */
  protected sent(): SentRequest {
    const { complete, kept } = this.body;
    const { host, fields } = this.traits;
    const body = complete && this.exchange.bodyKept ? kept : undefined;
    return { body, fields: () => readFields(`Host: ${host}\r\n${fields}`) };
  }
}
