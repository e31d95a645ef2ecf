import type { ServerHttp2Stream } from "node:http2";
import type { Field } from "../../../core/forwarding.ts";
import type { Outcome } from "../../../core/outcome.ts";
import type { Admitted } from "../../../core/request-line.ts";
import type { Lease } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import type { SentRequest } from "../../tap.ts";
import { RequestBody } from "../request-body.ts";
import type { Attempt } from "./attempt.ts";
import { endsWhole } from "./ends-whole.ts";
import { fieldOf, fieldsOfRaw } from "./fields.ts";
import type { Http2Head } from "./request-head.ts";
import type { UpstreamRequest } from "./upstream/upstream.ts";
import { fieldsFor, upstreamRequest } from "./upstream-request.ts";

/** A stream's request, as one target after another gets it: its fields at once, its body as it comes, its trailers. */
export abstract class StreamRequest {
  protected readonly plane: DataPlane;
  protected readonly stream: ServerHttp2Stream;
  protected readonly head: Http2Head;
  protected readonly path: string;
  protected readonly exchange: Exchange;
  protected readonly body: RequestBody;
  /** The try that is under way, once it has begun. */
  protected attempt: Attempt | undefined;
  readonly #host: string;
  #trailers: readonly Field[] = [];
  /** The fields that the newest target got. */
  #sent: readonly Field[] = [];

  constructor(
    plane: DataPlane,
    stream: ServerHttp2Stream,
    exchange: Exchange,
    head: Http2Head,
    way: Admitted,
  ) {
    this.plane = plane;
    this.stream = stream;
    this.head = head;
    this.path = way.path;
    this.#host = way.host;
    this.exchange = exchange;
    const length = Number(fieldOf(head.fields, "content-length") ?? 0);
    const isWhole = endsWhole(stream);
    const expects = fieldOf(head.fields, "expect") !== undefined;
    const source = { readable: stream, hasBody: !head.ended, length, isWhole };
    this.body = new RequestBody(plane, exchange, source, {
      wanted: () => expects && this.continue(),
      sent: () => this.attempt?.bodySent(),
      fault: (outcome) => this.giveUp(outcome),
    });
    stream.on("trailers", (_headers, _flags, raw) => {
      this.#trailers = fieldsOfRaw(raw as readonly string[]);
    });
  }

  /** Tells the client that its body is wanted. */
  protected abstract continue(): void;
  /** The client, its message or its deadline ended the request. */
  abstract giveUp(outcome: Outcome): void;

  /** An attempt begins, whose target gets the body from now on. */
  onSent(attempt: Attempt): void {
    this.attempt = attempt;
    if (!this.head.ended) this.body.pipe(attempt.upstream);
  }

  protected requestFor(lease: Lease): UpstreamRequest {
    const host = this.#host === "" ? lease.target.authority : this.#host;
    const fields = fieldsFor(this.plane, this.exchange, this.head, lease, host);
    this.#sent = fields;
    return upstreamRequest(this.head, this.path, fields, this.plane.scheme, () => this.#trailers);
  }

  /** The request as its target got it, for whoever looks on. */
  protected sent(): SentRequest {
    return { body: this.body.whole, fields: () => this.#sent };
  }
}
