import { setTimeout } from "node:timers/promises";
import type { DataPlane } from "../data-plane.ts";

/** Milliseconds after the last connection's end in which every exchange has to be counted as ended. */
const MOST = 1000;

/**
 * For the end of `drain`, so that the last report misses nothing: a server is closed before its last sockets tell those who
 * answered on them. Resolves at the latest a second later; what has not ended by then stays in flight in the last report.
 */
export async function everyExchangeCounted(plane: DataPlane): Promise<void> {
  const latest = performance.now() + MOST;
  while (unfinished(plane) > 0 && performance.now() < latest) await setTimeout(1);
}

function unfinished(plane: DataPlane): number {
  const colors = Object.values(plane.report().colors);
  return colors.reduce((sum, { inFlight, tunnels = 0, held = 0 }) => sum + inFlight + tunnels + held, 0);
}
