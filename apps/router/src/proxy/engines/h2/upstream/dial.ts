import { connect, type Socket } from "node:net";
import { sharedLookup } from "../../../../targets/shared-lookup.ts";
import type { Target } from "../../../../targets/target.ts";

/** Milliseconds until the system asks a silent machine whether it is still there. */
const KEEP_ALIVE = 15_000;

/** A connection to a target for HTTP/2, which emits `connect`. */
export function dial({ host, port }: Target): Socket {
  return connect({
    host,
    port,
    lookup: sharedLookup,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE,
  });
}
