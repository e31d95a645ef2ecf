import type { Field } from "../../../../core/forwarding.ts";
import type { Outcome } from "../../../../core/outcome.ts";

/** A request as it goes to a target, whatever the target speaks. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin form, or `*`. */
  readonly path: string;
  /** End-to-end fields as `requestFields` makes them: `Host` first. */
  readonly fields: readonly Field[];
  /** A body follows. */
  readonly hasBody: boolean;
  readonly isGrpc: boolean;
  /** The client takes trailers (`te: trailers`). */
  readonly wantsTrailers: boolean;
  /** What the client connected by. */
  readonly scheme: "http" | "https";
  /** The request's trailers, asked for once its body is whole. */
  trailers(): readonly Field[];
}

export interface UpstreamHead {
  readonly status: number;
  readonly httpVersion: string;
  /** As they came. */
  readonly fields: readonly Field[];
  /** There is no body, nor trailers. */
  readonly ended: boolean;
}

/** Why there is no answer, or only a part of one. */
export interface Failure {
  readonly outcome: Outcome;
  /** The target has not looked at the request, or its connection had gone before: it may be sent anew. */
  readonly stale?: "unprocessed" | "connection";
  /** The code by which the target reset the stream (RFC 9113 section 7). */
  readonly code?: number;
}

/** Who waits for an answer. After `onEnd` or `onFailed` nothing more comes, but for `onClosed`. */
export interface UpstreamReader {
  /** The connection is there: from now on it is the target's turn. */
  onConnected(): void;
  onInterim(status: number, fields: readonly Field[]): void;
  onHead(head: UpstreamHead): void;
  onData(chunk: Buffer): void;
  onEnd(trailers: readonly Field[]): void;
  onFailed(failure: Failure): void;
  /** Nothing is left of it on the connection. Called once, also after a cancel. */
  onClosed(): void;
}

/** One request under way at a target. A body's sink, too: `end` sends the request's trailers. */
export interface Upstream {
  readonly destroyed: boolean;
  /** @returns false when it takes no more for now, until `drain` */
  write(chunk: Buffer): boolean;
  end(): void;
  once(event: "drain", listener: () => void): unknown;
  /** The client reads more slowly than the target writes. */
  pause(): void;
  resume(): void;
  /** Ends it at once; the reader hears `onClosed` alone. */
  cancel(): void;
}
