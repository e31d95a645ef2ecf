import type { CreateEngine } from "../../src/proxy/engine.ts";
import { createHttpProxyEngine } from "../../src/proxy/engines/http-proxy/index.ts";
import { createWireEngine } from "../../src/proxy/engines/wire/index.ts";

export interface TestedEngine {
  readonly name: string;
  readonly create: CreateEngine;
  /** Names of the cases that it cannot do; one that passes nevertheless turns the suite red. */
  readonly cannot: readonly string[];
}

/** Every engine plays every case. */
export const ENGINES: readonly TestedEngine[] = [
  { name: "wire", create: createWireEngine, cannot: [] },
  {
    name: "http-proxy",
    create: createHttpProxyEngine,
    cannot: [
      "request trailers are relayed", // http-proxy pipes bodies, and a pipe knows no trailers
      "response trailers are relayed",
      "TE goes on as trailers alone", // nobody may ask for what would be dropped
      "103 Early Hints are relayed", // http-proxy has no event for them
      "two spaces after the method", // Node's parser skips them
      "an extension method is relayed", // Node's parser knows a list of methods
    ],
  },
];
