import { randomUUID } from "node:crypto";
import type { RequestFacts } from "../core/request-facts.ts";

const WELL_FORMED = /^[\w.~:+/=-]{1,128}$/;

/** What requests are called. */
export class RequestIds {
  // Drawing 122 random bits for each request would cost more than everything else that names it.
  readonly #prefix = randomUUID().slice(0, 24);
  #count = 1;

  /** A new UUID: unlike any other of this process, and of any other with overwhelming odds. */
  next(): string {
    return this.#prefix + (this.#count++).toString(16).padStart(12, "0");
  }

  /** `X-Request-Id`: the client's if it is well formed, else a new one. */
  of(facts: RequestFacts): string {
    const told = facts.header("x-request-id");
    return told !== undefined && WELL_FORMED.test(told) ? told : this.next();
  }
}
