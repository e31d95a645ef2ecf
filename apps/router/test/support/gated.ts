import type { Gate } from "../../src/core/gate.ts";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import { closing } from "./open.ts";
import { type PlaneOptions, testRouter } from "./plane.ts";
import { RawClient } from "./raw-client.ts";
import { type Upstream, upstream } from "./upstream.ts";

export const keep = closing();
/** A pause of ten minutes that holds a thousand requests for a minute each. */
export const pause = (more: Partial<Gate & { kind: "pause" }> = {}): Gate => ({
  kind: "pause",
  max: 1000,
  timeout: 60_000,
  until: Date.now() + 600_000,
  ...more,
});
export const maintenance: Gate = { kind: "maintenance", message: "Back at <noon>.", retryAfter: 120 };
export const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
export const UPGRADE = get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n");

/** A router before blue and green, of which blue has all weight, with the gate in this state. */
export const gatedBy =
  (create: CreateEngine) =>
  async (gate: Gate | undefined, config: PlaneOptions["config"] = {}, now?: () => number) => {
    const [blue, green] = [keep(await upstream()), keep(await upstream())];
    const colors = (weight: number) => ({
      blue: { weight, targets: [blue.url] },
      green: { weight: 1 - weight, targets: [green.url] },
    });
    const router = keep(
      await testRouter(colors(1), { config, snapshot: { gate }, ...(now && { now }) }, create),
    );
    return {
      router,
      blue,
      green,
      set: (next: Gate | undefined, weight = 1) => router.serve(colors(weight), { gate: next }),
    };
  };

export const client = async (port: number) => keep(await RawClient.connect(port));
export const paths = ({ seen }: Upstream) => seen.map(({ url }) => url);
type Gated = Awaited<ReturnType<ReturnType<typeof gatedBy>>>;
/** Requests that wait at the gate. */
export const held = ({ router }: Gated) => router.plane.report().colors.none?.held;
/** How many left the gate, by how. */
export const endings = ({ router }: Gated) => router.plane.report().colors.none?.gated;
