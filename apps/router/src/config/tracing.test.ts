import { describe, expect, it } from "vitest";
import { checkConfig } from "./load.ts";
import { redactedConfig } from "./redact.ts";

const load = (tracing: unknown, env: NodeJS.ProcessEnv = {}) =>
  checkConfig(
    { colors: { blue: { weight: 1 } }, ...(tracing === undefined ? {} : { tracing }) },
    env,
    "s.yaml",
  );
const refusal = (tracing: unknown, env: NodeJS.ProcessEnv = {}): string => {
  try {
    load(tracing, env);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("tracing", () => {
  it.each([[undefined], ["none"]])("is off with %j, whatever the environment says", (tracing) => {
    expect(load(tracing, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x:4318" }).tracing).toBeUndefined();
  });

  it("passes trace ids on and begins them without a collector", () => {
    const usual = { otlp: undefined, headers: {}, sample: 1, service_name: "sluice" };
    expect(load({}).tracing).toEqual(usual);
  });

  it.each([
    ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"],
    ["http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"],
    ["https://otlp.example.com/custom/path?key=1", "https://otlp.example.com/custom/path?key=1"],
  ])("sends spans of %s to %s", (otlp, whole) => {
    expect(load({ otlp }).tracing?.otlp).toBe(whole);
  });

  it("takes from OpenTelemetry's environment what the file leaves open", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://base:4318/otel/",
      OTEL_SERVICE_NAME: "front",
    };
    expect(load({}, env).tracing).toMatchObject({
      otlp: "http://base:4318/otel/v1/traces",
      service_name: "front",
    });
    const own = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://own:9/x" };
    expect(load({}, own).tracing?.otlp).toBe("http://own:9/x");
    const file = load({ otlp: "http://file:1/y", service_name: "mine" }, own).tracing;
    expect(file).toMatchObject({ otlp: "http://file:1/y", service_name: "mine" });
  });

  it("names a variable of the environment that holds no URL", () => {
    const message = refusal({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" });
    expect(message).toContain("tracing.otlp takes OTEL_EXPORTER_OTLP_ENDPOINT from the environment");
  });

  it.each([
    [{ otlp: "127.0.0.1:4318" }, "tracing.otlp"],
    [{ otlp: "ftp://x/" }, "tracing.otlp"],
    [{ otlp: "" }, "tracing.otlp"],
    [{ otlp: "http://x/#y" }, "tracing.otlp"],
    [{ sample: 1.5 }, "tracing.sample"],
    [{ sample: -1 }, "tracing.sample"],
    [{ headers: "x" }, "tracing.headers"],
    [{ headers: { "bad name": "x" } }, "tracing.headers"],
    [{ headers: { a: "x\r\ny: z" } }, "tracing.headers"],
    [{ headers: { a: 1 } }, "tracing.headers"],
    [{ service_name: "" }, "tracing.service_name"],
    [{ endpoint: "http://x" }, "tracing"],
    ["on", "tracing"],
    [[], "tracing"],
  ])("refuses %j with the name of the key and what was expected", (tracing, key) => {
    const message = refusal(tracing);
    expect(message).toContain(key);
    expect(message).toMatch(/expected|did you mean/);
  });

  it("never shows the user of a URL or a value of headers", () => {
    const inUrl = refusal({ otlp: "http://me:s3cret@host:1/" });
    expect(inUrl).toContain("tracing.headers is the place");
    expect(inUrl).not.toContain("s3cret");
    expect(refusal({ headers: "s3cret" })).not.toContain("s3cret");
    const shown = JSON.stringify(redactedConfig(load({ headers: { Authorization: "Bearer s3cret" } })));
    expect(shown).toContain('"Authorization":"***"');
    expect(shown).not.toContain("s3cret");
  });
});
