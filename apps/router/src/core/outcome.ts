/**
 * How an attempt, or a whole request, ended. This table alone says what the client is told, whether the attempt
 * may be sent again, and whom it blames.
 */

/**
 * `never`: the client has been answered, is gone, or is itself at fault.
 * `unsent`: nothing reached a server, so any method may be sent again.
 * `sent`: the server may have acted, so only what may be repeated is sent again.
 */
export type RetryClass = "never" | "unsent" | "sent";

/** Whose passive health an ending counts against. A client's abort blames nobody. */
export type Blame = "target" | "client" | "nobody";

/** The words that `retry.on` accepts; an ending without one is never retried. */
export type RetryReason = "connect" | "reset" | "unavailable" | "timeout" | "invalid" | "502" | "503" | "504";

export interface OutcomeRow {
  /** Status that the client is answered, if nothing of an answer was sent yet. 499 is only ever logged. */
  readonly status: number;
  /** The same as a status of gRPC, for the client of a call. */
  readonly grpc: number;
  readonly retry: RetryClass;
  readonly blame: Blame;
  /** Which word of `retry.on` allows a repetition. */
  readonly on?: RetryReason;
  /** True when evidence counts a first attempt that ended so against its color. */
  readonly bad: boolean;
  readonly title: string;
  readonly detail: string;
}

export const OUTCOMES = {
  answered: {
    status: 200,
    grpc: 0,
    retry: "never",
    blame: "nobody",
    bad: false,
    title: "OK",
    detail: "The upstream answered.",
  },
  answered_5xx: {
    status: 500,
    grpc: 2,
    retry: "never",
    blame: "nobody",
    bad: true,
    title: "Upstream error",
    detail: "The upstream answered with a server error, which was passed on.",
  },
  answered_502: {
    status: 502,
    grpc: 14,
    retry: "sent",
    on: "502",
    blame: "nobody",
    bad: true,
    title: "Bad Gateway",
    detail: "The upstream answered 502.",
  },
  answered_503: {
    status: 503,
    grpc: 14,
    retry: "sent",
    on: "503",
    blame: "nobody",
    bad: true,
    title: "Service Unavailable",
    detail: "The upstream answered 503.",
  },
  answered_504: {
    status: 504,
    grpc: 14,
    retry: "sent",
    on: "504",
    blame: "nobody",
    bad: true,
    title: "Gateway Timeout",
    detail: "The upstream answered 504.",
  },
  /** The call's status is UNAVAILABLE: by its own word, this server cannot serve now (gRPC). */
  grpc_unavailable: {
    status: 503,
    grpc: 14,
    retry: "sent",
    on: "unavailable",
    blame: "target",
    bad: true,
    title: "Service Unavailable",
    detail: "The upstream answered UNAVAILABLE.",
  },
  /** The call's status is one that is the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, DATA_LOSS. */
  grpc_error: {
    status: 500,
    grpc: 2,
    retry: "never",
    blame: "nobody",
    bad: true,
    title: "Upstream error",
    detail: "The upstream answered with a server error, which was passed on.",
  },
  /** The upstream said that it has not looked at the request (HTTP/2: REFUSED_STREAM, or a GOAWAY before it). */
  refused: {
    status: 503,
    grpc: 14,
    retry: "unsent",
    on: "connect",
    blame: "nobody",
    bad: true,
    title: "Service Unavailable",
    detail: "The upstream refused to take the request.",
  },
  /** The client's own deadline passed (`grpc-timeout`). A client may set it as short as it likes, so no target is blamed. */
  deadline: {
    status: 504,
    grpc: 4,
    retry: "never",
    blame: "nobody",
    bad: true,
    title: "Gateway Timeout",
    detail: "The call's deadline passed before it was answered.",
  },
  connect_failed: {
    status: 502,
    grpc: 14,
    retry: "unsent",
    on: "connect",
    blame: "target",
    bad: true,
    title: "Bad Gateway",
    detail: "No connection to the upstream could be made.",
  },
  connect_timeout: {
    status: 504,
    grpc: 14,
    retry: "unsent",
    on: "connect",
    blame: "target",
    bad: true,
    title: "Gateway Timeout",
    detail: "The upstream did not accept a connection in time.",
  },
  tls_failed: {
    status: 502,
    grpc: 14,
    retry: "unsent",
    on: "connect",
    blame: "target",
    bad: true,
    title: "Bad Gateway",
    detail: "The upstream's certificate is not to be trusted, or TLS could not be agreed on with it.",
  },
  reset: {
    status: 502,
    grpc: 14,
    retry: "sent",
    on: "reset",
    blame: "target",
    bad: true,
    title: "Bad Gateway",
    detail: "The upstream closed the connection before it answered.",
  },
  response_timeout: {
    status: 504,
    grpc: 4,
    retry: "sent",
    on: "timeout",
    blame: "target",
    bad: true,
    title: "Gateway Timeout",
    detail: "The upstream did not answer in time.",
  },
  invalid_response: {
    status: 502,
    grpc: 13,
    retry: "sent",
    on: "invalid",
    blame: "target",
    bad: true,
    title: "Bad Gateway",
    detail: "The upstream's answer was not valid HTTP.",
  },
  /** Ended by the rule for suspects: sent elsewhere at once, whatever `retry.on` and the budget say. */
  stalled: {
    status: 504,
    grpc: 4,
    retry: "sent",
    blame: "nobody",
    bad: true,
    title: "Gateway Timeout",
    detail: "The upstream fell silent.",
  },
  /** The answer's head was passed on and its body broke off: the client's connection is cut, never ended cleanly. */
  truncated: {
    status: 502,
    grpc: 14,
    retry: "never",
    blame: "target",
    bad: true,
    title: "Bad Gateway",
    detail: "The upstream broke off in the middle of its answer.",
  },
  stream_timeout: {
    status: 504,
    grpc: 4,
    retry: "never",
    blame: "target",
    bad: true,
    title: "Gateway Timeout",
    detail: "The upstream fell silent in the middle of its answer.",
  },
  no_target: {
    status: 503,
    grpc: 14,
    retry: "never",
    blame: "nobody",
    bad: true,
    title: "Service Unavailable",
    detail: "No healthy target is left to answer this request.",
  },
  client_abort: {
    status: 499,
    grpc: 1,
    retry: "never",
    blame: "client",
    bad: false,
    title: "Client Closed Request",
    detail: "The client went away before it was answered.",
  },
  body_too_large: {
    status: 413,
    grpc: 8,
    retry: "never",
    blame: "client",
    bad: false,
    title: "Content Too Large",
    detail: "The request body is larger than limits.body allows.",
  },
  body_timeout: {
    status: 408,
    grpc: 4,
    retry: "never",
    blame: "client",
    bad: false,
    title: "Request Timeout",
    detail: "The request body did not arrive in time.",
  },
  /** The client's message broke its own framing in the middle of the body. */
  bad_request: {
    status: 400,
    grpc: 3,
    retry: "never",
    blame: "client",
    bad: false,
    title: "Bad Request",
    detail: "The request is not valid HTTP.",
  },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as readonly Outcome[];

/** The row of an ending, with the optional columns visible. */
export function outcomeRow(outcome: Outcome): OutcomeRow {
  return OUTCOMES[outcome];
}

/** Which ending an upstream's own answer is. `status` is 200 to 599; 1xx answers end nothing. */
export function answeredWith(status: number): Outcome {
  if (status < 500) return "answered";
  if (status === 502) return "answered_502";
  if (status === 503) return "answered_503";
  if (status === 504) return "answered_504";
  return "answered_5xx";
}
