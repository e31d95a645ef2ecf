import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
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
  /** What a client gets that names no host, or one that no certificate has. Without a certificate it refuses them. */
  readonly fallback: SecureContext;
  readonly #byName = new Map<string, SecureContext>();

  constructor(material: ServerMaterial) {
    const contexts = material.certificates.map((pair) => [pair, contextOf(material, pair)] as const);
    const first = material.strictSni ? undefined : contexts[0]?.[1];
    this.fallback = first ?? contextOf(material, undefined);
    for (const [{ cert }, context] of contexts) {
      for (const name of namesOf(new X509Certificate(cert))) {
        if (!this.#byName.has(name)) this.#byName.set(name, context);
      }
    }
  }

  /** Exact names first, then `*.` in place of the first label (RFC 6125 section 6.4.3), then the fallback. */
  select(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const wildcard = `*${name.slice(name.indexOf("."))}`;
    return this.#byName.get(name) ?? this.#byName.get(wildcard) ?? this.fallback;
  }
}

function contextOf(material: ServerMaterial, pair: KeyPair | undefined): SecureContext {
  return createSecureContext({
    ...contextOptions(material.minVersion),
    ...pair,
    sessionIdContext: SESSION_CONTEXT,
    ticketKeys: Buffer.from(material.ticketKeys, "base64"),
  } as SecureContextOptions);
}

/** What every port that speaks TLS allows. */
export function contextOptions(minVersion: ServerMaterial["minVersion"]): SecureContextOptions {
  return { ciphers: CIPHERS, minVersion, maxVersion: "TLSv1.3" };
}
