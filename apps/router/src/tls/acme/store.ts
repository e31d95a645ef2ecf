import { join } from "node:path";
import { disk } from "../../control/disk.ts";
import { type LoadedPair, pairOf } from "../load-pair.ts";
import { CertificateError, parsePem, readPem } from "../pem.ts";

export interface Issued extends LoadedPair {
  readonly file: string;
}

/**
 * What an authority has given, in the state folder: the account's key, and one file for each host with key and
 * certificate together, so that the two can never be of different ages. Staging and production are different folders.
 * Everything is for this user alone (mode 0600) and replaced in one step.
 */
export class AcmeStore {
  readonly folder: string;

  /** @param state the state folder @param directory URL of the authority */
  constructor(state: string, directory: string) {
    const { host, pathname } = new URL(directory);
    this.folder = join(state, "acme", `${host}${pathname}`.replace(/[^\w.-]+/g, "-").replace(/-+$/, ""));
  }

  /** The account's key, in PEM; undefined before the first order. @throws CertificateError it is damaged */
  accountKey(): string | undefined {
    const path = join(this.folder, "account.key");
    const blocks = readIfThere(path)?.blocks;
    if (blocks === undefined) return undefined;
    const key = blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
    if (!key) throw new CertificateError(path, "holds no private key.");
    return key.text;
  }

  saveAccountKey(key: string): Promise<void> {
    return this.#write("account.key", key);
  }

  /** The certificate of a host; undefined where there is none. @throws CertificateError it is damaged */
  read(domain: string): Issued | undefined {
    const path = this.#path(domain);
    const file = readIfThere(path);
    if (file === undefined) return undefined;
    const key = file.blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
    if (!key) throw new CertificateError(path, "holds no private key.");
    return { ...pairOf(file, { path, text: key.text }), file: path };
  }

  /**
   * Saves what was issued, if TLS can use it.
   * @throws CertificateError the authority has given something else
   */
  async save(domain: string, key: string, cert: string): Promise<Issued> {
    const file = this.#path(domain);
    const text = `${key.trim()}\n${cert.trim()}\n`;
    const pair = pairOf(parsePem(file, text, "a certificate"), { path: file, text: key });
    await this.#write(`${domain}.pem`, text);
    return { ...pair, file };
  }

  #path(domain: string): string {
    return join(this.folder, `${domain}.pem`);
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.folder, name);
    await disk.makeFolder(this.folder);
    await disk.write(`${path}.partial`, text);
    await disk.rename(`${path}.partial`, path);
    await disk.syncFolder(this.folder);
  }
}

function readIfThere(path: string) {
  try {
    return readPem(path, "a certificate");
  } catch (error) {
    if ((error as Error).message.endsWith("there is no such file.")) return undefined;
    throw error;
  }
}
