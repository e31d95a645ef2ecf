import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { KeyPair, ServerMaterial, TlsMaterial } from "../../src/tls/material.ts";
import { PLAIN_UPSTREAM } from "../../src/tls/material.ts";

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR = 3_600_000;

export interface Wanted {
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  readonly from?: Date;
  readonly to?: Date;
  /** For a certificate to show to servers. */
  readonly client?: boolean;
}

let serial = 1;
const nextSerial = () => (serial++).toString(16).padStart(4, "0");

const isAddress = (name: string) => /^[\d.]+$|:/.test(name);

async function pem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = bytes.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

const generate = () =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;

/** An authority of a test's own. */
export class TestAuthority {
  /** Its certificate, in PEM. */
  readonly cert: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.cert = `${certificate.toString("pem")}\n`;
  }

  static async create(name = "Test Authority"): Promise<TestAuthority> {
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: nextSerial(),
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - 24 * HOUR),
      notAfter: new Date(Date.now() + 10_000 * HOUR),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /** A certificate, by default for localhost and 127.0.0.1, valid for a day. */
  async issue(wanted: Wanted = {}): Promise<KeyPair> {
    const keys = await generate();
    return { cert: await this.certify(keys.publicKey, wanted), key: await pem(keys) };
  }

  /** The same for a key that somebody else has. */
  async certify(publicKey: webcrypto.CryptoKey, wanted: Wanted = {}): Promise<string> {
    const { names = ["localhost", "127.0.0.1"], client = false } = wanted;
    const { from = new Date(Date.now() - HOUR), to = new Date(Date.now() + 24 * HOUR) } = wanted;
    const usage = client ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject: wanted.commonName === undefined ? "CN=test" : `CN=${wanted.commonName}`,
      issuer: this.#certificate.subject,
      notBefore: from,
      notAfter: to,
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...(names.length === 0 ? [] : [alternatives(names)]),
      ],
    });
    return `${certificate.toString("pem")}\n`;
  }
}

function alternatives(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })),
  );
}

/** A certificate that vouches for itself, for localhost. */
export async function selfSigned(): Promise<KeyPair> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: nextSerial(),
    name: "CN=localhost",
    notBefore: new Date(Date.now() - HOUR),
    notAfter: new Date(Date.now() + HOUR),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [alternatives(["localhost", "127.0.0.1"])],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await pem(keys) };
}

/** What a router shows its clients, as the control plane hands it down. */
export function serverMaterial(
  certificates: readonly KeyPair[],
  more: Partial<ServerMaterial> = {},
): TlsMaterial {
  const ticketKeys = Buffer.alloc(48, 7).toString("base64");
  const server = { certificates, ticketKeys, minVersion: "TLSv1.2" as const, strictSni: false, ...more };
  return { server, upstream: PLAIN_UPSTREAM };
}
