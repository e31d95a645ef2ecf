/** A certificate that is shown to clients, for metrics and status pages. */
export interface CertificateFacts {
  /** The first name in it; empty where it has none. */
  readonly name: string;
  /** Its file. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** What the metrics say of TLS. */
export interface TlsFacts {
  readonly certificates: readonly CertificateFacts[];
  /** Files that were read because they changed, by how that ended. */
  readonly reloads: { readonly success: number; readonly failure: number };
  /** Certificates asked of an ACME authority, by how that ended; undefined without `tls.acme`. */
  readonly orders: { readonly success: number; readonly failure: number } | undefined;
  /** Plain requests that were sent to HTTPS. */
  readonly redirects: number;
}
