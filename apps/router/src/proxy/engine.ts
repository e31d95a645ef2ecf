import type { Address } from "../config/config.ts";
import type { DataPlane } from "./data-plane.ts";

/** An address to open, or the descriptor of a listening socket that this process inherited. */
export type Listen = Address | { readonly fd: number };

/**
 * What parses clients' requests and carries them to targets. An engine owns sockets and framing and decides nothing
 * else: which color, which target, whether again, and what is counted are the exchange's to say, the same for all.
 */
export interface Engine {
  /** Descriptor of the listening socket, while there is one. */
  readonly fd: number | undefined;
  /** Starts to accept; resolves with the address in use. Rejects when the address cannot be had. */
  listen(where: Listen): Promise<Address>;
  /**
   * Stops accepting, answers what is in flight with `Connection: close`, closes idle connections.
   * Resolves when all is done or after `deadline` milliseconds, with the number of connections that had to be cut; by then
   * every exchange is counted as ended.
   * @param grace how long idle connections are kept, in milliseconds, so that a request already on its way is still
   * answered. Default: 500
   */
  drain(deadline: number, grace?: number): Promise<number>;
}

/** The default of `grace` in {@link Engine.drain}. */
export const IDLE_GRACE = 500;

export type CreateEngine = (plane: DataPlane) => Engine;
