import type { HandedState } from "../control/handing.ts";
import type { Report } from "../core/report.ts";
import type { Snapshot } from "../core/snapshot.ts";

/**
 * What the two routers of an upgrade say to each other, over Node's IPC. They may be of different versions: a message
 * is never given another meaning, and what a reader does not know it ignores.
 */

/** Environment variable with a {@link Legacy} as JSON, for the program that is to take over. */
export const HANDOVER = "SLUICE_HANDOVER";

/** Options that name an address to listen on. */
export type SocketKey = "listen" | "tls.redirect" | "admin.listen" | "metrics.listen";

export interface InheritedSocket {
  readonly fd: number;
  /** The address by which it was opened, as the configuration had it. */
  readonly configured: string;
  /** It came from a supervisor, such as systemd, that keeps it open. */
  readonly supervised: boolean;
}

export type Sockets = Readonly<Partial<Record<SocketKey, InheritedSocket>>>;

/** What a successor is born with. */
export interface Legacy {
  readonly version: string;
  readonly sockets: Sockets;
}

/** What the old router gives once it has let go of it. */
export interface HandedOver {
  readonly control: HandedState;
  /** Where the workers are that serve on; undefined where the old process itself finishes what it has. */
  readonly workers: string | undefined;
  /** Names of the colors, in order: a snapshot with others would mean nothing to the old process. */
  readonly colors: readonly string[];
  /** Everything that was counted so far, but for the workers' own. */
  readonly report: Report;
  /** What these workers have reported last, or what one has counted would go with it where it does not live to say so itself. */
  readonly workerReports?: readonly Report[];
}

/** From the old router to the new one. */
export type Down =
  | { readonly kind: "handed"; readonly handed: HandedOver }
  /** Nothing will be taken back. */
  | { readonly kind: "go" }
  | { readonly kind: "report"; readonly report: Report; readonly question?: number };

/** From the new router to the old one. */
export type Up =
  /** It has read its configuration and wants to have the state. */
  | { readonly kind: "ready"; readonly version: string; readonly state: string | undefined }
  | { readonly kind: "serves" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "collect"; readonly question: number };
