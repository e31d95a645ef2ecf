import type { Config } from "./config/config.ts";
import type { CreateEngine } from "./proxy/engine.ts";
import { createHttpProxyEngine } from "./proxy/engines/http-proxy/index.ts";
import { createWireEngine } from "./proxy/engines/wire/index.ts";

export const ENGINES: Readonly<Record<Config["engine"], CreateEngine>> = {
  wire: createWireEngine,
  "http-proxy": createHttpProxyEngine,
};
