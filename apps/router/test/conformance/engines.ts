import type { CreateEngine } from "../../src/proxy/engine.ts";
import { createHttpProxyEngine } from "../../src/proxy/engines/http-proxy/index.ts";

export interface TestedEngine {
  readonly name: string;
  readonly create: CreateEngine;
  /** Names of the cases that it cannot do; one that passes nevertheless turns the suite red. */
  readonly cannot: readonly string[];
}

/** Every engine plays every case. */
export const ENGINES: readonly TestedEngine[] = [
  {
    name: "http-proxy",
    create: createHttpProxyEngine,
    cannot: [],
  },
];
