import type { Outcome } from "../../../core/outcome.ts";
import type { Head } from "./head.ts";
import type { AnswerFraming } from "./response-head.ts";

/** Who waits for an answer on this connection. All calls come from the connection's own events. */
export interface AnswerReader {
  /** A head with status 100 to 199, but 101. False: there are too many of them. */
  onInterim(head: Head): boolean;
  /** The final head. `rest`, which is only good during the call, is what came with it, from `at` on. */
  onHead(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void;
  /**
   * A part of the body. The bytes are good during the call; a part of 64 KiB or more also until the connection is
   * resumed, for a reader that pauses it.
   */
  onBody(bytes: Buffer, start: number, end: number): void;
  /**
   * The answer is complete. `trailer` is its trailer section, the empty line alone where there are no trailers. After a
   * switch: the target has closed its half.
   */
  onEnd(trailer: string): void;
  /** The protocol was switched; from now on the socket is the reader's. */
  onSwitched(head: Head, rest: Buffer, at: number): void;
  /** No answer, or only a part of one. A tunnel that has ended is `answered`. */
  onFailed(outcome: Outcome): void;
  /** Whether the request may go to the same target once more, because the connection turned out to be stale. */
  mayResend(): boolean;
  /** It was stale; the lease is still held. */
  onStale(): void;
  /** Room to write again. */
  onDrain(): void;
}
