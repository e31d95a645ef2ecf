import { build, type Metafile } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { BUNDLE } from "../bundle.ts";

let metafile: Metafile;
beforeAll(async () => {
  ({ metafile } = await build({ ...BUNDLE, metafile: true, write: false }));
});

/** The packages in what is loaded at once when these files of the sources are, without what they import lazily. */
function packagesOf(...entries: string[]): Set<string> {
  const { outputs } = metafile;
  const isEntry = (entry = "") => entries.some((each) => entry.endsWith(each));
  const loaded = new Set(Object.keys(outputs).filter((path) => isEntry(outputs[path]!.entryPoint)));
  expect(loaded.size).toBe(entries.length);
  for (const path of loaded) {
    for (const { kind, path: next } of outputs[path]!.imports)
      if (kind === "import-statement" && next in outputs) loaded.add(next);
  }
  const inputs = [...loaded].flatMap((path) => Object.keys(outputs[path]!.inputs));
  return new Set(inputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
}

describe("the bundle", () => {
  it("has a worker load nothing that only the control plane needs", () => {
    const worker = packagesOf("src/workers/entry.ts");
    expect(worker).toContain("pino");
    for (const name of ["zod", "yaml", "hono", "prom-client", "commander"])
      expect(worker).not.toContain(name);
  });

  it("has a router load what few configurations need only with those", () => {
    const router = packagesOf("src/cli/main.ts", "src/config/load.ts", "src/log.ts", "src/main.ts");
    expect(router).toContain("zod");
    for (const name of [
      "acme-client",
      "axios",
      "undici",
      "@bufbuild/protobuf",
      "@opentelemetry/exporter-trace-otlp-proto",
      "listr2",
      "csv-parse",
    ])
      expect(router).not.toContain(name);
  });

  it("leaves out what nothing calls", () => {
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
    expect(inputs.filter((path) => /node-forge|zod\/v4\/locales\/(?!index|en\.)/.test(path))).toEqual([]);
  });
});
