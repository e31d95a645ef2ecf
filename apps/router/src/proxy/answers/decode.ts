import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

/** Bytes that an answer may have once it is decoded. */
export const MOST_DECODED = 1024 * 1024;

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

/** RFC 9110 section 8.4.1, RFC 7932, RFC 8878. They work on a thread of their own. */
const DECODERS: ReadonlyMap<string, Decode> = new Map(
  Object.entries({
    gzip: promisify(gunzip),
    "x-gzip": promisify(gunzip),
    deflate: promisify(inflate),
    br: promisify(brotliDecompress),
    zstd: promisify(zstdDecompress),
  }),
);

/** True where the bytes are the content itself. */
export function isPlain(coding: string | undefined): boolean {
  return coding === undefined || coding === "" || coding.toLowerCase() === "identity";
}

/** The content of an answer as text, of at most so many bytes; undefined where its coding is unknown, or bursts; empty where it is broken, for the client as well. */
export async function decode(
  bytes: Buffer,
  coding: string,
  most = MOST_DECODED,
): Promise<string | undefined> {
  const decoder = DECODERS.get(coding.trim().toLowerCase());
  try {
    return (await decoder?.(bytes, { maxOutputLength: most }))?.toString("utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? undefined : "";
  }
}

/** `application/json` or anything `+json`. */
export function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);
}
