import type { z } from "zod";
import { Refused } from "./errors.ts";
import { feedback } from "./feedback.ts";
import { gates } from "./gates.ts";
import { hooks } from "./hooks.ts";
import { option, parsed, section, strict } from "./option.ts";
import { affinity, colors, hedge, metricsListen, override } from "./parts.ts";
import { predictions, shadow } from "./predictions.ts";
import { admin, health, limits, passive, retry, timeouts } from "./sections.ts";
import { tls, upstreamTls } from "./tls.ts";
import { tracing } from "./tracing.ts";
import { address, boolean, cidrs, text, word } from "./values.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** More processes than any machine has cores are a slip of the finger. */
const MOST_WORKERS = 256;

const workers = parsed((value): number | "auto" => {
  if (value === "auto") return value;
  const count = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MOST_WORKERS)
    return count;
  throw Refused.expected(`auto, or a whole number from 1 to ${MOST_WORKERS}`);
});

/** The configuration file, after `${NAME}` was replaced. Every option's default and unit stand here and nowhere else. */
export const fileSchema = strict(
  {
    listen: option(address(), {
      default: "0.0.0.0:8080",
      unit: "address",
      about: "Where clients connect; port 0 lets the system choose.",
    }),
    tls: tls(),
    upstream_tls: upstreamTls,
    admin,
    state: option(text("a folder, or memory"), {
      default: "./var/sluice",
      about: "Folder for durable state, relative to this file's folder; `memory` keeps none.",
    }),
    engine: option(word(["wire", "http-proxy"]), {
      default: "wire",
      about: "What carries requests.",
    }),
    split: option(word(["random", "exact"]), {
      default: "random",
      about: "`random` draws each request's color; `exact` deals them out by weight.",
    }),
    failover: option(boolean(), {
      default: true,
      about: "Whether a color without an available target is stood in for by another.",
    }),
    colors: colors(),
    affinity: option(affinity(), {
      default: "none",
      about:
        "What keeps a user on one color: `none`, `{ cookie: NAME }`, `{ header: NAME }` or `{ query: NAME }`.",
    }),
    override: override(),
    trusted_proxies: option(cidrs(), {
      default: [],
      unit: "CIDRs",
      about: "Proxies whose `X-Forwarded-*` are kept and appended to.",
    }),
    allowed_targets: option(cidrs(), {
      default: [],
      unit: "CIDRs",
      about: "Targets that `PUT targets` may name; empty: loopback and private ranges; link-local never.",
    }),
    health,
    passive,
    retry,
    hedge: hedge(),
    predictions: predictions(),
    shadow,
    feedback: feedback(),
    gates,
    hooks: hooks(),
    timeouts,
    limits,
    tracing: tracing(),
    metrics: section({
      listen: option(metricsListen(), {
        default: "admin",
        unit: "address",
        about: "`admin`, or an address of its own for a scraper that should reach nothing else.",
      }),
    }),
    workers: option(workers, {
      default: 1,
      unit: "processes",
      about:
        "Data-plane processes; `auto` is one a core. With 1 requests are carried by the router's own process; more serve on when it is killed, until its next start, if `state` is a folder. `limits`, `retry` and `split` hold for each.",
    }),
    log: section({
      level: option(word(LEVELS), {
        default: "info",
        about: `Least important line that is written: ${LEVELS.join(", ")}.`,
      }),
      access: option(word(["all", "errors", "off"]), {
        default: "errors",
        about:
          "Requests that get a line: `all`; those that were refused, failed, were retried or given up (`errors`); none (`off`).",
      }),
    }),
  },
  "a mapping of options, such as listen: 0.0.0.0:8080",
);

export type FileConfig = z.output<typeof fileSchema>;
