import type { Outcome } from "../core/outcome.ts";

/** One request in the access log. */
export interface AccessLine {
  readonly request_id: string;
  /** The trace that the client named, or that was begun for it; undefined where there is none. */
  readonly trace_id: string | undefined;
  readonly method: string;
  readonly path: string;
  /** What the client was answered; 499 when it did not wait. */
  readonly status: number;
  /** Of a gRPC call: 0 to 16. */
  readonly grpc_status?: number;
  /** The color that answered, `none` if none did. */
  readonly color: string;
  /** The color that weight assigned it to, `none` if it was refused before. */
  readonly assigned: string;
  readonly target: string | undefined;
  readonly attempts: number;
  /** How it ended; `refused`: before it had a color. */
  readonly outcome: Outcome | "refused";
  readonly duration_ms: number;
  /** Bytes of the response body that were handed to the client. */
  readonly bytes: number;
  readonly client: string;
}

export type AccessLog = (line: AccessLine) => void;
