/**
 * How a target is spoken to: `http` is HTTP/1.1 (and HTTP/2 for gRPC calls), `h2c` is HTTP/2 with prior knowledge and
 * nothing else (RFC 9113 section 3.3), `https` is inside TLS.
 */
export type TargetProtocol = "http" | "https" | "h2c";

export interface TargetAddress {
  readonly protocol: TargetProtocol;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Host, and port unless it is the protocol's default: what `Host` or `:authority` say. */
  readonly authority: string;
}

const DEFAULT_PORT: Readonly<Record<TargetProtocol, number>> = { http: 80, https: 443, h2c: 80 };

/** What a target's normalized URL says. */
export function targetAddress(url: string): TargetAddress {
  const at = url.indexOf("://");
  const protocol = url.slice(0, at) as TargetProtocol;
  // Schemes that the URL standard does not know are parsed by other rules.
  const { hostname, host, port } = new URL(`${protocol === "https" ? "https" : "http"}${url.slice(at)}`);
  return {
    protocol,
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || DEFAULT_PORT[protocol]),
    authority: host,
  };
}

/** The same for two targets that differ in nothing but how they are spoken to: it is one process. */
export function targetPlace(url: string): string {
  const { host, port } = targetAddress(url);
  return `${host} ${port}`;
}
