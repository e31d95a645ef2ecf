import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { PairFiles } from "../config/config.ts";
import { namesOf } from "./certificate-names.ts";
import type { KeyPair } from "./material.ts";
import { CertificateError, type PemFile, readPem } from "./pem.ts";

export interface LoadedPair extends KeyPair {
  /** Hosts that it is for, the first is what messages call it by. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: string;
  /** What is unwise, but works: sentences. */
  readonly warnings: readonly string[];
}

/**
 * Reads a certificate with its chain, and its key, and tries whether TLS can use the two.
 * @throws CertificateError
 */
export function loadPair(files: PairFiles): LoadedPair {
  const certFile = readPem(files.cert, "a certificate");
  const keyFile = readPem(files.key, "a private key");
  const key = keyFile.blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (!key) throw new CertificateError(files.key, "holds no private key.");
  const pair = pairOf(certFile, { path: files.key, text: key.text });
  const warnings = keyFile.forAll
    ? [`${files.key} can be read by every user of this machine; give it the mode 0600 or 0640.`]
    : [];
  return { ...pair, warnings: [...warnings, ...pair.warnings] };
}

/** The same for a key that is at hand. */
export function pairOf(certFile: PemFile, key: { readonly path: string; readonly text: string }): LoadedPair {
  const chain = certificatesIn(certFile);
  const leaf = chain[0]!;
  const keyObject = readKey(key);
  refuseMismatch(certFile.path, key.path, chain, keyObject);
  const cert = certFile.blocks
    .filter(({ label }) => isCertificate(label))
    .map(({ text }) => text)
    .join("");
  try {
    createSecureContext({ cert, key: key.text });
  } catch (error) {
    throw new CertificateError(certFile.path, `cannot be used for TLS: ${(error as Error).message}.`);
  }
  const names = namesOf(leaf);
  return {
    cert,
    key: key.text,
    names,
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    serial: leaf.serialNumber,
    warnings: [...unwise(certFile.path, chain, names)],
  };
}

const isCertificate = (label: string) => label === "CERTIFICATE" || label === "X509 CERTIFICATE";

/** Every certificate of a file, at least one. @throws CertificateError */
export function certificatesIn({ path, blocks }: PemFile): X509Certificate[] {
  const found = blocks.filter(({ label }) => isCertificate(label));
  if (found.length === 0) throw new CertificateError(path, "holds no certificate.");
  return found.map(({ text }, index) => {
    try {
      return new X509Certificate(text);
    } catch {
      throw new CertificateError(path, `is damaged: certificate ${index + 1} in it cannot be read.`);
    }
  });
}

function readKey({ path, text }: { readonly path: string; readonly text: string }): KeyObject {
  if (/ENCRYPTED/.test(text))
    throw new CertificateError(path, "is locked with a passphrase; expected a key without one.");
  try {
    return createPrivateKey(text);
  } catch {
    throw new CertificateError(path, "is damaged: the private key in it cannot be read.");
  }
}

function refuseMismatch(
  cert: string,
  key: string,
  chain: readonly X509Certificate[],
  privateKey: KeyObject,
): void {
  if (chain[0]!.checkPrivateKey(privateKey)) return;
  const at = chain.findIndex((each) => each.checkPrivateKey(privateKey));
  if (at > 0)
    throw new CertificateError(cert, `begins with another certificate than ${key}'s; expected it first.`);
  throw new CertificateError(key, `does not belong to the certificate in ${cert}.`);
}

function* unwise(
  path: string,
  chain: readonly X509Certificate[],
  names: readonly string[],
): Generator<string> {
  if (names.length === 0) yield `${path} names no host, so that no client will ask for it by name.`;
  const broken = chain.findIndex((each, i) => i > 0 && !chain[i - 1]!.checkIssued(each));
  if (broken > 0)
    yield `${path} has certificates out of order: number ${broken + 1} has not issued the one before.`;
}

/** Why a certificate is not valid now, as the end of a sentence; undefined while it is. */
export function invalidity({ notBefore, notAfter }: LoadedPair, now: number): string | undefined {
  if (now >= notAfter) return `has expired on ${day(notAfter)}`;
  return now < notBefore ? `is not valid before ${day(notBefore)}` : undefined;
}

/** `2026-11-22 02:34 UTC` */
export function day(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A list of authorities, checked. @throws CertificateError */
export function loadAuthorities(path: string): string {
  const file = readPem(path, "certificates of authorities");
  certificatesIn(file);
  return file.blocks.map(({ text }) => text).join("");
}
