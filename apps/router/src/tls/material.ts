/**
 * What files and certificate authorities have given, as the data plane uses it: the control plane reads and checks it and
 * hands it down, so that no worker opens a key file.
 */

/** A certificate with its chain and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What the router shows to clients. */
export interface ServerMaterial {
  /** In the configuration's order: the first is shown where no name fits. May be empty while ACME has given none. */
  readonly certificates: readonly KeyPair[];
  /** 48 bytes in base64 that seal session tickets; every worker has the same, so that each resumes the others' sessions. */
  readonly ticketKeys: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** A client that names none of the certificates' hosts is refused. */
  readonly strictSni: boolean;
}

/** What the router shows to targets, and what it wants to see. */
export interface UpstreamMaterial {
  /** Whom targets' certificates have to come from, in PEM. Undefined: the system's and Mozilla's authorities. */
  readonly ca: string | undefined;
  /** The router's own certificate. */
  readonly pair: KeyPair | undefined;
  /** The name that targets' certificates have to be for. Undefined: the target's host. */
  readonly serverName: string | undefined;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

export interface TlsMaterial {
  /** Undefined where clients connect without TLS. */
  readonly server: ServerMaterial | undefined;
  readonly upstream: UpstreamMaterial;
}

/** Verifies targets by the system's authorities, and shows them nothing. */
export const PLAIN_UPSTREAM: UpstreamMaterial = {
  ca: undefined,
  pair: undefined,
  serverName: undefined,
  verify: true,
};
