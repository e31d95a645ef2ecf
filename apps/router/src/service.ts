import type { Channel } from "./channel.ts";
import type { Address, Config } from "./config/config.ts";

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
  /** Serves by other options from the next request on. */
  configure(config: Config): void;
  /** Finishes what is in flight, within `deadline` milliseconds; resolves with the number of connections that were cut. */
  drain(deadline: number): Promise<number>;
  /** Gives everything back at once. What was adopted, but never taken into service, serves on. */
  end(): Promise<void>;
}
