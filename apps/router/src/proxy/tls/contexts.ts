import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type TlsOptions } from "node:tls";
import { namesOf } from "../../tls/certificate-names.ts";
import type { KeyPair, ServerMaterial } from "../../tls/material.ts";

/**
 * Mozilla's "intermediate" list, for clients of the last ten years, without the DHE suites, which only clients of before
 * 2014 need and which cost a server the most. The first three are TLS 1.3's.
 */
export const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Sessions of another program must not be resumed here; Node's default differs between worker processes. */
const SESSION_CONTEXT = "sluice";

/** One context for each certificate, by the names in it. */
export class Contexts {
  /** For a client that names no host, or one that no certificate has. Without a certificate it is refused. */
  readonly fallback: TlsOptions;
  readonly #byName = new Map<string, SecureContext>();

  constructor(material: ServerMaterial) {
    const { certificates, strictSni } = material;
    this.fallback = optionsOf(material, strictSni ? undefined : certificates[0]);
    for (const pair of certificates) {
      const context = createSecureContext(optionsOf(material, pair));
      for (const name of namesOf(new X509Certificate(pair.cert))) {
        if (!this.#byName.has(name)) this.#byName.set(name, context);
      }
    }
  }

  /** Exact names first, then `*.` in place of the first label (RFC 6125 section 6.4.3); undefined: the fallback. */
  select(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    return this.#byName.get(name) ?? this.#byName.get(`*${name.slice(name.indexOf("."))}`);
  }
}

function optionsOf(material: ServerMaterial, pair: KeyPair | undefined): TlsOptions {
  return {
    ...pair,
    ciphers: CIPHERS,
    honorCipherOrder: false,
    minVersion: material.minVersion,
    maxVersion: "TLSv1.3",
    sessionIdContext: SESSION_CONTEXT,
    ticketKeys: Buffer.from(material.ticketKeys, "base64"),
  };
}
