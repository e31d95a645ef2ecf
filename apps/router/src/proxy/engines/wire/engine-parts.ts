import type { DataPlane } from "../../data-plane.ts";
import type { Http2Side } from "../h2/http2-side.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Head } from "./head.ts";
import type { HedgeQueue } from "./hedge-queue.ts";
import type { Pool } from "./pool.ts";
import type { Timers } from "./timers.ts";

/** What the connections of one engine share. */
export interface Engine {
  readonly plane: DataPlane;
  readonly timers: Timers;
  readonly pool: Pool;
  readonly hedges: HedgeQueue;
  /** Clients that speak HTTP/2 go there. */
  readonly http2: Http2Side;
  /** Heads are read and used up in one go, so one object serves all connections. */
  readonly requestHead: Head;
  readonly answerHead: Head;
  /** What targets' answers are read into, one at a time. */
  readonly readBuffer: Buffer;
  /** Bytes that an answer's head may have, and its number of fields. */
  readonly answerHeader: number;
  readonly answerFields: number;
  /** Every answer ends its connection. */
  readonly draining: boolean;
  closed(connection: ClientConnection): void;
  /** `Date` for answers that have none (RFC 9110 section 6.6.1). */
  date(): string;
}
