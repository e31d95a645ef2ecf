import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { Pinned } from "../processes/pinned.ts";
import type { Contender, Place } from "./contender.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const bareHttpProxy: Contender = {
  name: "http-proxy, bare",
  native: false,
  missing: () => undefined,
  start({ core, port, upstreams }) {
    const ports = [port, ...upstreams].map(String);
    return new Pinned(core, process.execPath, ["--no-deprecation", at("./bare-http-proxy.ts"), ...ports]);
  },
};

/** Sluice with its defaults and several data-plane processes, on the given cores. */
export function sluiceWorkers(workers: number, cores: string): Contender {
  return {
    name: `workers: ${workers}, on ${cores.includes(",") ? "cores" : "core"} ${cores}`,
    native: false,
    missing: () => undefined,
    start(place) {
      const file = join(place.folder, `sluice-workers-${workers}.yaml`);
      writeFileSync(file, stringify({ ...sluiceConfig("wire", place), workers }));
      const program = at("../../../apps/router/bin/sluice.js");
      return new Pinned(cores, process.execPath, [program, "serve", "--config", file]);
    },
  };
}

/** Sluice's engine wire with all weight on blue, and its admin API on a port of the caller's. `more` are further options. */
export function sluiceWithAdmin(name: string, admin: number, more: object = {}): Contender {
  return {
    name,
    native: false,
    missing: () => undefined,
    start(place) {
      const file = join(place.folder, `sluice-${admin}.yaml`);
      const { colors, ...rest } = sluiceConfig("wire", place);
      const weights = { blue: { ...colors.blue, weight: 100 }, green: { ...colors.green, weight: 0 } };
      writeFileSync(
        file,
        stringify({ ...rest, ...more, admin: { listen: `127.0.0.1:${admin}` }, colors: weights }),
      );
      const program = at("../../../apps/router/bin/sluice.js");
      return new Pinned(place.core, process.execPath, [program, "serve", "--config", file]);
    },
  };
}

/**
 * Sluice with its defaults, by engine.
 * @param young file for the size of V8's young generation; undefined: nobody looks
 */
export function sluice(engine: "wire" | "http-proxy", young?: string): Contender {
  return {
    name: `Sluice, ${engine}`,
    native: false,
    missing: () => undefined,
    start(place) {
      const file = join(place.folder, `sluice-${engine}.yaml`);
      writeFileSync(file, stringify(sluiceConfig(engine, place)));
      const program = at("../../../apps/router/bin/sluice.js");
      const serve = [program, "serve", "--config", file];
      if (young === undefined) return new Pinned(place.core, process.execPath, serve);
      const preload = ["--import", new URL("./young-generation.ts", import.meta.url).href];
      return new Pinned(place.core, process.execPath, [...preload, ...serve], { BENCH_YOUNG: young });
    },
  };
}

/** Sluice with its defaults before targets that speak HTTP/2 alone. HTTP/2 is the same in both engines. */
export const sluiceGrpc: Contender = {
  name: "Sluice",
  native: false,
  missing: () => undefined,
  start(place) {
    const file = join(place.folder, "sluice-grpc.yaml");
    const { colors, ...rest } = sluiceConfig("wire", place);
    const target = (port: number) => [`h2c://127.0.0.1:${port}`];
    const [blue, green] = place.upstreams;
    const over = {
      blue: { ...colors.blue, targets: target(blue) },
      green: { ...colors.green, targets: target(green) },
    };
    writeFileSync(file, stringify({ ...rest, colors: over }));
    const program = at("../../../apps/router/bin/sluice.js");
    return new Pinned(place.core, process.execPath, [program, "serve", "--config", file]);
  },
};

function sluiceConfig(engine: string, { port, upstreams: [blue, green], connections, body }: Place) {
  return {
    listen: `127.0.0.1:${port}`,
    admin: { listen: "127.0.0.1:0" },
    state: "memory",
    engine,
    colors: {
      blue: { weight: 90, targets: [`http://127.0.0.1:${blue}`] },
      green: { weight: 10, targets: [`http://127.0.0.1:${green}`] },
    },
    health: { path: "/" },
    limits: { connections, ...(body === undefined ? {} : { body: `${body}B` }) },
  };
}
