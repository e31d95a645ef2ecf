import type { Config } from "../../src/config/config.ts";

/** What an upstream says, in raw bytes. */
export interface Script {
  /**
   * Its answers, one for each request that reaches it; the last is repeated. `{}` stands for a plain 200 with the body
   * "ok".
   */
  readonly answers?: readonly string[];
  /** After its answer it closes (`end`) or resets (`reset`) the connection. */
  readonly ending?: "end" | "reset";
  /** It answers as soon as it has the request's head. */
  readonly early?: boolean;
}

/** One response as the client saw it, parsed strictly. */
export interface Expected {
  readonly status: number | readonly number[];
  /** The body after its framing is taken off. */
  readonly body?: string | RegExp;
  /** Parts of the head, and what it must not have. */
  readonly has?: readonly (string | RegExp)[];
  readonly lacks?: readonly (string | RegExp)[];
  /** The message must be visibly incomplete. */
  readonly truncated?: boolean;
}

/**
 * A black-box case: bytes in, bytes out. It knows nothing of any engine. `\r\n` is written out, and strings are latin1.
 */
export interface Case {
  readonly name: string;
  /** The sections that say so. */
  readonly rfc: string;
  readonly config?: (defaults: Config) => Partial<Config>;
  /** What the client sends; several pieces are sent one after another, each when the one before has had an effect. */
  readonly send: string | readonly string[];
  readonly upstream?: Script;
  /** The final responses, in order. A number stands for its status. */
  readonly responses: readonly (Expected | number)[];
  /** Interim responses that come before the first final one. */
  readonly interim?: readonly number[];
  /** The connection is closed after the last response, or may be; otherwise a further request on it must work. */
  readonly closed?: true | "may";
  /** Requests that reach the upstream. Default: as many as there are responses below 400, "0" where there are none. */
  readonly hits?: number;
  /** What the bytes that reached the upstream have, and have not; a function is told how the client has connected. */
  readonly upstreamHas?: readonly (string | RegExp | ((scheme: "http" | "https") => RegExp))[];
  readonly upstreamLacks?: readonly (string | RegExp)[];
  /** The upstream saw its connection end in the middle of a request. */
  readonly aborted?: boolean;
}
