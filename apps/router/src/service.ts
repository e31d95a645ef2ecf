import type { Channel } from "./channel.ts";
import type { Address, Config } from "./config/config.ts";
import type { Report } from "./core/report.ts";
import type { TlsMaterial } from "./tls/material.ts";

export interface Inheritance {
  /** Descriptor of the listening socket, where this process has it. */
  readonly socket: number | undefined;
  /** The workers that a successor takes over, and where it finds them; they report to it themselves. */
  readonly workers:
    | {
        readonly folder: string;
        readonly ids: readonly number[];
        /** What each has reported last. */
        readonly reports: readonly Report[];
      }
    | undefined;
}

/** The data plane as `main` runs it: in this process, or in processes of its own. */
export interface Service {
  readonly channel: Channel;
  /** Client connections that are open now, as far as is known. */
  readonly connections: number;
  /** Takes over what an earlier router left serving; called once the state folder is ours. */
  adopt(): Promise<void>;
  /** Serves requests by the newest snapshot. @throws StartError the address cannot be had */
  listen(): Promise<Address>;
  /** Why no request would be answered yet, in a sentence; undefined once they are. */
  unready(): string | undefined;
  /** Shows and expects other certificates from the next connection on; called before `listen`, too. */
  equip(material: TlsMaterial): void;
  /** Serves by other options from the next request on. */
  configure(config: Config): void;
  /** What a successor needs to serve on the same socket. */
  readonly inheritance: Inheritance;
  /** Lets go of what a successor takes over; what is in flight in this process goes on. */
  give(): Promise<void>;
  /** After `give`: has everything again. */
  takeBack(): Promise<void>;
  /** Nobody will take anything back any more: what an earlier router left and is not needed is sent home. */
  settle(): void;
  /**
   * Finishes what is in flight, within `deadline` milliseconds; resolves with the number of connections that were cut.
   * Idle connections are kept for `grace` milliseconds, by default 500.
   */
  drain(deadline: number, grace?: number): Promise<number>;
  /** Gives everything back at once. What was adopted, but never taken into service, serves on. */
  end(): Promise<void>;
}
