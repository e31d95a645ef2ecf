import { type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Exchange } from "../../exchange.ts";
import { ownFields, type Problem } from "../problem.ts";
import { latin1 } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";
import { lasting } from "./reads.ts";
import { type AnswerFraming, BODY, writeAnswerHead, writeInterimHead } from "./response-head.ts";
import type { RequestTraits } from "./traits.ts";

/** An answer this small goes out in one write with its head, as text. */
const SMALL = 16 * 1024;
/** Interim answers that one request may have. */
const MOST_INTERIM = 32;

/** The answer to one request, as its client gets it. */
export class ClientAnswer {
  /** 0 before its head has been written. */
  status = 0;
  /** Of the body. */
  bytes = 0;
  /** The connection ends with this answer. */
  closing = false;
  readonly #engine: Engine;
  readonly #client: ClientConnection;
  readonly #exchange: Exchange;
  readonly #traits: RequestTraits;
  #chunked = false;
  #untilClose = false;
  #interim = 0;

  constructor(engine: Engine, client: ClientConnection, exchange: Exchange, traits: RequestTraits) {
    this.#engine = engine;
    this.#client = client;
    this.#exchange = exchange;
    this.#traits = traits;
  }

  /** A head with status 100 to 199, but 101. @returns false where there are too many of them */
  interim(head: Head): boolean {
    if (++this.#interim > MOST_INTERIM) return false;
    // Our own 100 is the only one (RFC 9110 section 15.2.1), and HTTP/1.0 knows no interim answers.
    if (head.status !== 100 && this.#traits.minor === 1) this.#client.write(writeInterimHead(head));
    return true;
  }

  /**
   * Writes the head, and a small body that has come with it, in `rest` from `at` on.
   * @param complete the request's body is
   * @returns where the body ends in `rest`; -1 where it goes on in parts
   */
  begin(head: Head, framing: AnswerFraming, rest: Buffer, at: number, complete: boolean): number {
    const text = this.#head(head, framing, complete);
    this.status = head.status;
    if (framing.kind !== BODY.length || framing.length > SMALL || rest.length - at < framing.length) {
      this.#client.write(text);
      return -1;
    }
    const end = at + framing.length;
    this.bytes = framing.length;
    this.#client.write(text + latin1(rest, at, end));
    return end;
  }

  #head(head: Head, { kind }: AnswerFraming, complete: boolean): string {
    const old = this.#traits.minor === 0;
    const delimited = kind !== BODY.chunked && kind !== BODY.untilClose;
    this.#chunked = !old && !delimited;
    this.#untilClose = old && !delimited;
    // After an answer before the body's end the rest of the body may never come.
    this.closing = !this.#traits.keepAlive || this.#untilClose || !complete || this.#engine.draining;
    const connection = this.closing ? "close" : old ? "keep-alive" : "";
    return writeAnswerHead(head, this.#exchange, { chunked: this.#chunked, connection }, () =>
      this.#engine.date(),
    );
  }

  /** A part of the body. @returns false when the client has to catch up first */
  part(bytes: Buffer): boolean {
    this.bytes += bytes.length;
    return this.#client.writeBody(lasting(bytes), this.#chunked);
  }

  end(trailer: string): void {
    if (this.#chunked) this.#client.write(`0\r\n${trailer}`);
  }

  /** It broke off, and must not be taken for whole. */
  cut(): void {
    this.#client.cut(this.#untilClose);
  }

  /** No target has answered: says so. @param complete the request's body is @param headOnly the request was HEAD */
  problem(outcome: Outcome, complete: boolean, headOnly: boolean): void {
    const row = outcomeRow(outcome);
    this.closing = !this.#traits.keepAlive || !complete || this.#engine.draining;
    const retryAfter = row.status === 503 ? ([["Retry-After", "1"]] as const) : [];
    const problem: Problem = { ...row, fields: [...retryAfter, ...ownFields(this.#exchange)] };
    this.bytes = this.#client.writeProblem(problem, this.#exchange.id, this.closing, headOnly);
  }

  /** The head of the switch to another protocol (RFC 9110 section 15.2.2). */
  switched(head: Head): void {
    this.status = 101;
    const upgrade = head.value(head.find(FIELD.upgrade));
    const text = writeInterimHead(head).slice(0, -2);
    const own = ownFields(this.#exchange).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#client.write(`${text}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n${own.join("")}\r\n`);
  }
}
