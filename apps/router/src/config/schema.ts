import type { z } from "zod";
import { Refused } from "./errors.ts";
import { option, parsed, section, strict } from "./option.ts";
import { affinity, colors, hedge, metricsListen, override } from "./parts.ts";
import { admin, health, limits, passive, retry, timeouts } from "./sections.ts";
import { address, boolean, cidrs, text, word } from "./values.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const workers = parsed((value) => {
  if (value === 1 || value === "1") return 1;
  const more = value === "auto" || (Number.isInteger(Number(value)) && Number(value) > 1);
  throw new Refused(`${more ? "more than one worker comes with a later version; " : ""}expected 1`);
});

/** The configuration file, after `${NAME}` was replaced. Every option's default and unit stand here and nowhere else. */
export const fileSchema = strict(
  {
    listen: option(address(), {
      default: "0.0.0.0:8080",
      unit: "address",
      about: "Where clients connect; port 0 lets the system choose.",
    }),
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
    timeouts,
    limits,
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
      about: "Data-plane processes; more than 1 comes with a later version.",
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
