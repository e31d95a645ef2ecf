import type { Address, Config } from "../config/config.ts";
import type { Report } from "../core/report.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { AccessLine } from "../proxy/access-line.ts";
import type { TlsMaterial } from "../tls/material.ts";

/** What runs a worker: the Node and the file. A worker may outlive the router that began it, and start another's. */
export interface Program {
  readonly node: string;
  readonly entry: string;
}

/** From the control plane to a worker. */
export type Down =
  | { readonly kind: "config"; readonly config: Config }
  /** Certificates and keys, before the first snapshot and whenever they change. */
  | { readonly kind: "tls"; readonly material: TlsMaterial }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "collect"; readonly question: number }
  /** Start another worker on the same listening socket. */
  | { readonly kind: "spawn"; readonly worker: number; readonly program: Program }
  /** Should this control plane go, wait that many milliseconds for another before it counts as gone. */
  | { readonly kind: "patience"; readonly milliseconds: number }
  | { readonly kind: "drain"; readonly deadline: number };

/** The first message on every connection: whom the control plane has before it. */
export interface Hello {
  readonly kind: "hello";
  readonly version: string;
  /** What it serves by; undefined until a control plane has told it. */
  readonly config: Config | undefined;
  /** Where it serves; undefined until it does. */
  readonly address: Address | undefined;
}

/** From a worker to the control plane. */
export type Up =
  | Hello
  | { readonly kind: "listening"; readonly address: Address }
  | { readonly kind: "report"; readonly report: Report; readonly question?: number }
  | { readonly kind: "access"; readonly lines: readonly AccessLine[] }
  /** Answers `spawn`; without a process number it failed. */
  | { readonly kind: "spawned"; readonly worker: number; readonly pid: number | undefined }
  | { readonly kind: "drained"; readonly cut: number };
