import type { TracingConfig } from "./config.ts";
import { Refused } from "./errors.ts";
import { documented, option, parsed, strict } from "./option.ts";
import { noneOr } from "./parts.ts";
import { headerName, share, text } from "./values.ts";

const COLLECTOR = "the URL of an OTLP collector, such as http://127.0.0.1:4318";
const HEADERS = "fields by name, such as { Authorization: Bearer TOKEN }";

/** Where OTLP over HTTP takes spans, if a URL names no path. */
const PATH = "/v1/traces";

const collector = () =>
  parsed((value) => {
    const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== "")
      throw Refused.expected(COLLECTOR);
    if (url.username !== "" || url.password !== "")
      throw Refused.expected(`${COLLECTOR}, without a user: tracing.headers is the place for a secret`);
    if (url.pathname === "/") url.pathname = PATH;
    return url.href;
  });

const fields = () =>
  parsed((value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw Refused.expected(HEADERS);
    for (const [name, each] of Object.entries(value)) {
      if (!headerName().safeParse(name).success) throw Refused.expected(`${HEADERS}, each a valid name`);
      if (typeof each !== "string" || !/^[\x21-\x7e]+( +[\x21-\x7e]+)*$/.test(each))
        throw Refused.expected(`${HEADERS}, each value text of visible ASCII characters`);
    }
    return value as Record<string, string>;
  });

export const tracing = () => {
  const shape = {
    otlp: option(collector().optional(), {
      unit: "URL",
      about: `Collector that spans go to by OTLP over HTTP (protobuf), at \`${PATH}\` if the URL names no path. Default: \`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\`, else \`OTEL_EXPORTER_OTLP_ENDPOINT\`; with none of them trace ids are passed on and begun, and no spans go out.`,
    }),
    headers: option(fields(), {
      default: {},
      unit: "fields",
      about:
        "What each export says besides, such as an `Authorization`; in addition to `OTEL_EXPORTER_OTLP_HEADERS`.",
    }),
    sample: option(share(), {
      default: 1,
      unit: "share",
      about: "Part of the traces that begin here which are recorded; of others the caller's flag decides.",
    }),
    service_name: option(text("the name of a service").optional(), {
      about: "The name under which spans are found. Default: `OTEL_SERVICE_NAME`, else `sluice`.",
    }),
  };
  const schema = noneOr(strict(shape, "none or { otlp: http://127.0.0.1:4318, sample: 1 }"));
  const about =
    "Passes on and begins W3C trace context, and sends spans; `none`: `traceparent` passes like any other field.";
  return documented(schema, { shape }, { default: "none", about });
};

/** What a file leaves open is the environment's to say, by OpenTelemetry's names. @throws Refused */
export function withEnvironment(
  file: Omit<TracingConfig, "service_name"> & { readonly service_name: string | undefined },
  env: NodeJS.ProcessEnv,
): TracingConfig {
  return {
    ...file,
    otlp: file.otlp ?? endpoint(env),
    service_name: file.service_name ?? (env.OTEL_SERVICE_NAME || "sluice"),
  };
}

function endpoint(env: NodeJS.ProcessEnv): string | undefined {
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (own) return read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own);
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return base ? read("OTEL_EXPORTER_OTLP_ENDPOINT", base.replace(/\/*$/, PATH)) : undefined;
}

function read(name: string, value: string): string {
  const found = collector().safeParse(value);
  if (found.success) return found.data;
  throw new Refused(`takes ${name} from the environment, which is no URL; expected ${COLLECTOR}.`);
}
