import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { unreadable } from "../config/file.ts";

/** A chain of certificates has a few KiB; a list of authorities some hundred. */
const LARGEST = 4 << 20;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\s:,-]*?-----END \1-----/g;

/** A certificate, a key or a list of authorities that cannot be used. The message names the file and says why. */
export class CertificateError extends Error {
  /** @param what goes on after the file's name: `is empty; expected a certificate.` */
  constructor(path: string, what: string) {
    super(`${path} ${what}`);
    this.name = "CertificateError";
  }
}

export interface PemFile {
  readonly path: string;
  /** Its blocks by what their first lines say: `CERTIFICATE`, `PRIVATE KEY`, `EC PRIVATE KEY`. */
  readonly blocks: readonly { readonly label: string; readonly text: string }[];
  /** Every user of the machine may read it. */
  readonly forAll: boolean;
}

/** @throws CertificateError it cannot be read, or is cut off */
export function readPem(path: string, expected: string): PemFile {
  const { text, forAll } = readText(path);
  return parsePem(path, text, expected, forAll);
}

/** The same for what is not in a file yet. */
export function parsePem(path: string, text: string, expected: string, forAll = false): PemFile {
  const blocks = [...text.matchAll(BLOCK)].map(([block, label]) => ({ label: label!, text: `${block}\n` }));
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (text.trim() === "") throw new CertificateError(path, `is empty; expected ${expected} in PEM.`);
  if (begun > blocks.length)
    throw new CertificateError(path, `is cut off or damaged: a BEGIN line is without its END line.`);
  if (blocks.length === 0) throw new CertificateError(path, `is not PEM; expected ${expected}.`);
  return { path, blocks, forAll };
}

function readText(path: string): { text: string; forAll: boolean } {
  try {
    const file = openSync(path, "r");
    try {
      const { mode, size } = fstatSync(file);
      if (fstatSync(file).isDirectory()) throw new CertificateError(path, "is a folder; expected a file.");
      if (size > LARGEST) throw new CertificateError(path, "is larger than 4 MiB; expected a PEM file.");
      const bytes = Buffer.alloc(LARGEST);
      let length = 0;
      for (let got = -1; got !== 0 && length < LARGEST; length += got)
        got = readSync(file, bytes, length, LARGEST - length, null);
      return { text: bytes.toString("latin1", 0, length), forAll: (mode & 0o004) !== 0 };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(path, `cannot be used: ${unreadable(error)}.`);
  }
}
