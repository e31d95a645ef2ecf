import type { Scope } from "../../config/config.ts";

/** What middleware leaves for the handlers of one request. */
export interface AdminEnv {
  Variables: { scope: Scope | undefined };
}
