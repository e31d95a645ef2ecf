import type { Ticket } from "../../gate.ts";
import { FIELD, kinds } from "./field-kind.ts";
import type { Head } from "./head.ts";
import { keepsAlive } from "./keep-alive.ts";

const UNFINISHED = kinds(FIELD.transferEncoding, FIELD.contentLength, FIELD.upgrade);

/** A request that waits at the closed gate: its head has been read and admitted, and lies in the input. */
export class HeldRequest {
  readonly ticket: Ticket;
  readonly headBytes: number;
  /** Where it is turned away, the connection can serve on: nothing of it is still to come. */
  readonly keepsOn: boolean;
  /** The gate lets it go on. */
  admitted = false;

  constructor(ticket: Ticket, head: Head, headBytes: number) {
    this.ticket = ticket;
    this.headBytes = headBytes;
    this.keepsOn = (head.seen & UNFINISHED) === 0 && head.minor === 1 && keepsAlive(head);
  }
}
