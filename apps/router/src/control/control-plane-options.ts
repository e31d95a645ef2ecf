import type { Channel } from "../channel.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Probe } from "../targets/probe.ts";
import type { TlsFacts } from "../tls/facts.ts";
import type { Upgrade } from "./admin/upgrade.ts";
import type { Resolve } from "./allowed-targets.ts";
import type { Disk } from "./disk.ts";
import type { AskTarget } from "./gates/ask.ts";
import type { HandedState } from "./handing.ts";
import type { Log } from "./log.ts";

export interface ControlPlaneOptions {
  readonly config: Config;
  readonly channel: Channel;
  readonly log: Log;
  /** The router's version. */
  readonly version: string;
  /** @default the machine's */
  readonly clock?: Clock;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** @default the machine's */
  readonly disk?: Disk;
  /** @default real HTTP requests */
  readonly probe?: Probe;
  /** Asks targets before they get requests. @default real HTTP requests, in TLS by the system's authorities */
  readonly ask?: AskTarget;
  /** Why the data plane would not answer yet, in a sentence. @default it always would */
  readonly unready?: () => string | undefined;
  /** What the metrics say of TLS. @default nothing */
  readonly tls?: () => TlsFacts;
  /** Addresses of a host name. @default the system's resolver */
  readonly resolve?: Resolve;
  /** What the router before this one handed over. Then commands are refused until `open()`. @default nothing */
  readonly handed?: HandedState | undefined;
  /** Starts the program that is on the disk now in this one's place. @default refused */
  readonly upgrade?: Upgrade;
}
