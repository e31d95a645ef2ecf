import { z } from "zod";
import { parseAddress } from "./address.ts";
import type { Address, AffinityConfig } from "./config.ts";
import { Refused } from "./errors.ts";
import { documented, list, option, parsed, strict } from "./option.ts";
import { normalizeTarget } from "./target-url.ts";
import { cidrs, cookieName, headerName, isPath, number, secret, share, text, word } from "./values.ts";

/** Status codes that pass a check: `200`, `200-299`, `200-299,304`, or a list of these. */
export const statusRanges = () =>
  parsed((value) => {
    const parts = Array.isArray(value) ? value : [value];
    return parts.flatMap((part) =>
      String(part)
        .split(",")
        .map((each) => statusRange(each.trim())),
    );
  });

function statusRange(part: string): readonly [number, number] {
  const match = /^([2-5]\d\d)(?:-([2-5]\d\d))?$/.exec(part);
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (!match || low > high)
    throw Refused.expected("status codes from 200 to 599, such as 200-299 or 200-299,304");
  return [low, high];
}

export const healthPath = () =>
  parsed((value) => {
    if (typeof value === "string" && /^\/[\x21-\x7e]*$/.test(value) && !value.includes("#")) return value;
    throw Refused.expected("a path that begins with /, such as /health/ready");
  });

/** What is asked of targets where nothing else is said. */
export const HEALTH_PATH = "/health/ready";

/** A name that `grpc.health.v1` knows a service by; empty: the server as a whole. */
export const grpcService = () =>
  parsed((value) => {
    if (typeof value === "string" && /^[\x20-\x7e]{0,256}$/.test(value)) return value;
    throw Refused.expected('the name of a gRPC service, such as inference.GRPCInferenceService, or ""');
  });

/** A path pattern; `*` stands for one whole segment. */
export const pathPattern = () =>
  parsed((value) => {
    if (!isPath(value))
      throw Refused.expected("a path that begins with /, without a query, such as /api/predict/");
    if (value.split("/").some((segment) => segment.includes("*") && segment !== "*")) {
      throw Refused.expected("a path in which * stands for one whole segment, such as /models/*/infer");
    }
    return value;
  });

const AFFINITY = "none, { cookie: NAME }, { header: NAME } or { query: NAME }";

export const affinity = () =>
  parsed((value): AffinityConfig => {
    if (value === "none") return { kind: "none" };
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    const [kind, name] = entries[0] ?? [];
    if (entries.length !== 1 || (kind !== "cookie" && kind !== "header" && kind !== "query")) {
      throw Refused.expected(AFFINITY);
    }
    const names = {
      cookie: cookieName(),
      header: headerName(),
      query: text("the name of a query parameter"),
    };
    const found = names[kind].safeParse(name);
    if (!found.success) throw Refused.expected(`${AFFINITY}, and NAME to be a valid name of a ${kind}`);
    return { kind, name: found.data };
  });

export const colors = () => {
  const shape = {
    weight: option(
      number("a weight: a number of at least 0", (value) => value >= 0),
      { required: true, about: "Share of new requests, on any scale; what counts is its part of the sum." },
    ),
    targets: option(list(parsed(normalizeTarget), "targets, such as http://127.0.0.1:8001"), {
      default: [],
      unit: "URLs",
      about:
        "Where the color's version listens: `http://HOST:PORT`, or `h2c://HOST:PORT` where it speaks HTTP/2 alone; empty: the color has no target yet.",
    }),
  };
  const color = strict(shape, "{ weight: NUMBER, targets: [URL] }");
  const all = z.record(z.string(), color, {
    error: `expected colors, such as blue: { weight: 100, targets: ["http://127.0.0.1:8001"] }`,
  });
  return documented(z.preprocess(refuseProto, all), { shape, as: "NAME" });
};

/** A record leaves this name out without a word, because it is dangerous as a key. */
function refuseProto(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__")) {
    context.addIssue({ code: "custom", message: "expected no color with the name __proto__" });
  }
  return value;
}

/** The word `none`, or a mapping. `usual` is what counts where nothing is said. */
export function noneOr<T extends z.ZodType>(schema: T, usual: unknown = "none") {
  return z
    .preprocess((value) => (value === "none" ? undefined : value), schema.optional())
    .prefault(usual as never);
}

export const override = () => {
  const shape = {
    header: option(headerName().optional(), {
      about: "Header that names a color; `X-Sluice-Color` if neither a header nor a cookie is given.",
    }),
    cookie: option(cookieName().optional(), { about: "Cookie that names a color." }),
    from: option(cidrs(), { default: [], unit: "CIDRs", about: "Clients that are believed." }),
    secret: option(secret().optional(), {
      about: "What `X-Sluice-Secret` has to say for a client to be believed.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { header: X-Sluice-Color, from: [CIDR], secret: TEXT }"));
  const about = "Lets chosen clients name the color that answers; needs `from` or `secret`.";
  return documented(schema, { shape }, { default: "none", about });
};

export const hedge = () => {
  const shape = {
    after: option(word(["p95"]), {
      default: "p95",
      about: "When the second attempt is sent: past this recent quantile.",
    }),
    max: option(share(), {
      default: 0.05,
      unit: "share",
      about: "Part of the requests that may have a second attempt.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { after: p95, max: 0.05 }"));
  const about = "Sends a slow request that may be repeated to a second target and takes the first answer.";
  return documented(schema, { shape }, { default: "none", about });
};

export const metricsListen = () =>
  parsed((value): "admin" | Address => {
    if (value === "admin") return "admin";
    try {
      return parseAddress(value);
    } catch {
      throw Refused.expected("admin, or an address such as 127.0.0.1:9901");
    }
  });
