import type { Config } from "../../../src/config/config.ts";
import type { FrameClient } from "../../support/http2/frame-client.ts";
import type { Script } from "../case.ts";

/** How a case ends; what happens has to be among what is listed. */
export interface Ending {
  /** Final statuses of the stream's answer. */
  readonly status?: readonly number[];
  /** Error codes of a RST_STREAM: an error of the stream, which leaves the connection as it was. */
  readonly reset?: readonly number[];
  /** Error codes of a GOAWAY: an error of the connection, which is closed. */
  readonly goaway?: readonly number[];
  /** The connection may be closed without a word. */
  readonly cut?: true;
}

/** A black-box case: frames in, frames out. It knows nothing of any engine. */
export interface Http2Case {
  readonly name: string;
  /** The section of RFC 9113, or of another. */
  readonly rfc: string;
  readonly config?: (defaults: Config) => Partial<Config>;
  /** Sent first, instead of the preface and empty SETTINGS. */
  readonly opening?: Buffer;
  /**
   * What the client sends; each piece once the router has read the one before. A function sends by itself.
   */
  readonly send: readonly Buffer[] | ((client: FrameClient) => void | Promise<void>);
  /** Whose ending is looked at. Default: 1 */
  readonly stream?: number;
  readonly ends: Ending;
  /** Parts of the answer's fields, each as `name: value`, and what they must not have. */
  readonly has?: readonly (string | RegExp)[];
  readonly lacks?: readonly (string | RegExp)[];
  readonly body?: string;
  /** The answer breaks off: its stream does not end by END_STREAM. */
  readonly truncated?: true;
  readonly interim?: readonly number[];
  readonly upstream?: Script;
  /** Requests that reach the target. Default: one for each status below 400 that `ends` has, and none without one. */
  readonly hits?: number | "any";
  readonly upstreamHas?: readonly (string | RegExp)[];
  readonly upstreamLacks?: readonly (string | RegExp)[];
  /** The target saw its connection end in the middle of a request. */
  readonly aborted?: boolean;
  /** The client closes its connection itself, so nothing more is asked of it. */
  readonly leaves?: true;
  /** The case's time-outs would strike a client that is in the middle of a request. */
  readonly alone?: true;
}
