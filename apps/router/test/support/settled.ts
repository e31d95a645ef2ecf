import { setImmediate } from "node:timers/promises";
import type { DataPlane } from "../../src/proxy/data-plane.ts";

const PATIENCE = 5000;

/** What a plane still holds for requests, by name; empty when every lease, byte and place has been given back. */
function held(plane: DataPlane): Record<string, number> {
  const all: Record<string, number> = {
    connections: plane.connections,
    "buffered bytes": plane.buffered,
    "held at the gate": plane.report().colors.none?.held ?? 0,
    "bytes of answers": plane.observer.held,
    "bytes of copies": plane.observer.mirror.bytes,
  };
  for (const color of plane.colors) {
    all[`in flight at ${color.name}`] = color.counters.inFlight;
    all[`tunnels at ${color.name}`] = color.counters.tunnels;
    for (const target of color.targets) {
      all[`in flight at ${target.url}`] = target.inFlight;
      all[`waiting at ${target.url}`] = target.waiting;
    }
  }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0));
}

/** Resolves once nothing is held any more; rejects with what is, because something was never given back (or twice). */
export async function settled(plane: DataPlane): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (Object.keys(held(plane)).length > 0) {
    if (performance.now() > deadline)
      throw new Error(`the data plane still holds: ${JSON.stringify(held(plane))}`);
    await setImmediate();
  }
}
