import { withoutBlanks } from "../../../core/blanks.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";

/** A request's facts, which outlive the shared {@link Head}: fields are looked for only if somebody asks. */
export class WireFacts implements RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly peer: string;
  readonly httpVersion: string;
  readonly #text: string;
  readonly #fieldsAt: number;
  readonly #hasId: boolean;
  readonly #hasTrace: boolean;

  constructor(head: Head, path: string, peer: string) {
    this.method = head.method;
    this.path = path;
    this.peer = peer;
    this.#text = head.text;
    this.#fieldsAt = head.fieldsAt;
    this.httpVersion = head.minor === 0 ? "1.0" : "1.1";
    this.#hasId = head.has(FIELD.requestId);
    this.#hasTrace = head.has(FIELD.trace);
  }

  /** All values of a field, joined by commas (RFC 9110 section 5.3). */
  header(name: string): string | undefined {
    if (name === "x-request-id" && !this.#hasId) return undefined;
    if (!this.#hasTrace && (name === "traceparent" || name === "tracestate")) return undefined;
    let joined: string | undefined;
    for (const line of this.#text.slice(this.#fieldsAt, -4).split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon !== name.length || line.slice(0, colon).toLowerCase() !== name) continue;
      const value = withoutBlanks(line, colon + 1);
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }
}
