import { readFileSync } from "node:fs";
import { CertificateError, readPem } from "../tls/pem.ts";
import { usageError } from "./errors.ts";

/** What a client trusts and shows, in PEM. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Reads the files that the options or the environment name; undefined where none is. @throws CliError of usage */
export function readClientTls(files: TlsFiles, env: NodeJS.ProcessEnv): ClientTls | undefined {
  const ca = files.ca ?? (env.SLUICE_ADMIN_CA || undefined);
  const cert = files.cert ?? (env.SLUICE_ADMIN_CERT || undefined);
  const key = files.key ?? (env.SLUICE_ADMIN_KEY || undefined);
  if ((cert === undefined) !== (key === undefined)) throw usageError("--cert and --key belong together.");
  if (ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: read(ca, "certificates of authorities") }),
    ...(cert === undefined ? {} : { cert: read(cert, "a certificate") }),
    ...(key === undefined ? {} : { key: read(key, "a private key") }),
  };
}

function read(path: string, expected: string): string {
  try {
    readPem(path, expected);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof CertificateError) throw usageError(error.message);
    throw error;
  }
}

/** `fetch` that trusts and shows these. @throws CliError the key does not belong to the certificate */
export async function secureFetch(tls: ClientTls | undefined): Promise<typeof fetch> {
  if (!tls) return fetch;
  const undici = await import("undici");
  const { createSecureContext } = await import("node:tls");
  try {
    createSecureContext(tls);
  } catch (error) {
    throw usageError(`--cert and --key cannot be used together (${(error as Error).message}).`);
  }
  const dispatcher = new undici.Agent({ connect: { ...tls } });
  return ((url: string, init: object) =>
    undici.fetch(url, { ...init, dispatcher })) as unknown as typeof fetch;
}
