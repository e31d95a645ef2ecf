import { documented, list, option, section, strict } from "./option.ts";
import { grpcService, HEALTH_PATH, healthPath, pathPattern, statusRanges } from "./parts.ts";

import { adminTls } from "./tls.ts";

import { address, duration, noneOrDuration, secret, share, size, text, whole, word } from "./values.ts";

const RETRY_WORDS = ["connect", "reset", "unavailable", "timeout", "invalid", "502", "503", "504"] as const;

const token = () =>
  option(secret().optional(), { about: "Bearer token; better from the environment or a file." });
const tokenFile = () =>
  option(text("the path of a file").optional(), {
    about: "File that holds the token; a relative path starts at this file's folder.",
  });

function tokens() {
  const shape = {
    token: token(),
    token_file: tokenFile(),
    scope: option(word(["read", "operate", "feedback"]), {
      required: true,
      about: "What the token may do: `read`, `operate` or `feedback`.",
    }),
  };
  const item = strict(shape, "{ token: TEXT, scope: read }");
  return documented(list(item, "tokens, each { token: TEXT, scope: read }").prefault([]), {
    shape,
    as: "[]",
  });
}

export const admin = section({
  listen: option(address(), {
    default: "127.0.0.1:9900",
    unit: "address",
    about: "Where the admin API listens; an address that is not loopback needs a token.",
  }),
  tls: adminTls(),
  token: option(secret().optional(), {
    about: "Bearer token that may do all; better from the environment or a file.",
  }),
  token_file: tokenFile(),
  tokens: tokens(),
});

export const health = section({
  path: option(healthPath().optional(), {
    about: `What is asked of every target by HTTP; \`${HEALTH_PATH}\` if neither it nor \`grpc\` is given.`,
  }),
  grpc: option(grpcService().optional(), {
    about:
      'Service that `grpc.health.v1.Health/Check` is asked for, `""` for the whole server; only SERVING passes. With `path`, both have to pass.',
  }),
  interval: option(duration(), {
    default: "2s",
    unit: "duration",
    about: "Time between two checks of a target.",
  }),
  timeout: option(duration(), { default: "1s", unit: "duration", about: "Time that a check may take." }),
  rise: option(whole(1, 1000), {
    default: 2,
    unit: "checks",
    about: "Passed checks in a row that bring a target up.",
  }),
  fall: option(whole(1, 1000), {
    default: 3,
    unit: "checks",
    about: "Failed checks in a row that take a target down.",
  }),
  jitter: option(share(), {
    default: 0.1,
    unit: "share",
    about: "Part of the interval by which each check is shifted at random.",
  }),
  status: option(statusRanges(), {
    default: "200-299",
    unit: "status codes",
    about: "Answers that pass: `200`, `200-299` or `200-299,304`.",
  }),
});

export const passive = section({
  errors: option(whole(1, 1_000_000), {
    default: 5,
    unit: "errors",
    about: "Errors within the window after which a target sits out.",
  }),
  window: option(duration(), {
    default: "10s",
    unit: "duration",
    about: "Time over which errors are counted.",
  }),
  ejection: option(duration(), { default: "10s", unit: "duration", about: "Time that a target sits out." }),
  max_ejected: option(share(), {
    default: 0.5,
    unit: "share",
    about: "Part of all targets that may sit out at once; one always may.",
  }),
});

export const retry = section({
  attempts: option(whole(0, 10), {
    default: 1,
    unit: "attempts",
    about: "Attempts after the first; 0: none.",
  }),
  budget: option(share(), {
    default: 0.2,
    unit: "share",
    about: "Part of the last 10 s' requests that may be retried; 3 a second always may.",
  }),
  on: option(list(word(RETRY_WORDS), `reasons: ${RETRY_WORDS.join(", ")}`), {
    default: ["connect", "reset", "unavailable"],
    about: `Endings that are retried: ${RETRY_WORDS.join(", ")}; unavailable is a gRPC status.`,
  }),
  idempotent_paths: option(list(pathPattern(), "paths"), {
    default: [],
    unit: "paths",
    about: "POST paths that may be repeated; `*` stands for one segment.",
  }),
  buffer: option(size({ zero: true }), {
    default: "64KiB",
    unit: "size",
    about: "Largest body that is kept for a repetition; a larger one streams and is not repeated.",
  }),
  buffer_total: option(size({ zero: true }), {
    default: "64MiB",
    unit: "size",
    about: "The same for all requests together.",
  }),
});

export const timeouts = section({
  client_header: option(duration(), {
    default: "10s",
    unit: "duration",
    about: "For a client to send a request's header.",
  }),
  client_body: option(duration(), {
    default: "30s",
    unit: "duration",
    about: "For a client to send the next part of a body.",
  }),
  connect: option(duration(), { default: "1s", unit: "duration", about: "For a connection to a target." }),
  response_header: option(duration(), {
    default: "30s",
    unit: "duration",
    about: "For a target to begin its answer.",
  }),
  stream_idle: option(duration(), {
    default: "60s",
    unit: "duration",
    about: "Silence in the middle of an answer or a tunnel; event streams may be silent.",
  }),
  keepalive: option(duration(), {
    default: "75s",
    unit: "duration",
    about: "For which an idle client connection is kept.",
  }),
  drain: option(duration({ zero: true }), {
    default: "30s",
    unit: "duration",
    about: "For requests in flight to end when the router stops; 0: cut at once.",
  }),
  tunnel_drain: option(noneOrDuration(), {
    default: "none",
    unit: "duration",
    about:
      "For WebSockets and event streams to end after their color has lost all weight; `none`: until they end by themselves.",
  }),
});

export const limits = section({
  header: option(size(), { default: "16KiB", unit: "size", about: "A request's whole header." }),
  headers: option(whole(1, 10_000), { default: 100, unit: "fields", about: "Header fields of a request." }),
  body: option(size(), { default: "10MiB", unit: "size", about: "A request's body." }),
  connections: option(whole(1, 1_000_000), {
    default: 10_000,
    unit: "connections",
    about: "Client connections at once.",
  }),
});
