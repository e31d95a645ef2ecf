import type { Context } from "hono";
import type { z } from "zod";
import { badKey } from "./bad-key.ts";
import { inWords } from "./in-words.ts";
import { HttpProblem } from "./problems.ts";

/** Bytes; the largest command is a list of targets. */
export const BODY_LIMIT = 64 * 1024;

/**
 * The body, of at most `limit` bytes, as JSON; undefined when it is empty.
 * @throws HttpProblem 400 not JSON, a key twice, or a key `__proto__`; 413 too large; 415 not declared as JSON
 */
export async function readJson(c: Context, limit = BODY_LIMIT): Promise<unknown> {
  const bytes = await readBytes(c.req.raw, limit);
  if (bytes.length === 0) return undefined;
  mustBeJson(c);
  const text = decode(bytes);
  const json = parse(text);
  const bad = badKey(text);
  if (bad !== undefined) throw new HttpProblem(400, bad);
  return json;
}

/** @throws HttpProblem 400 that names the key and what was expected */
export function check<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json, { error: inWords });
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const where = path.length > 0 ? `${path.join(".")}: ` : "";
  throw new HttpProblem(400, `${where}${message}`);
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () => new HttpProblem(413, `The body is larger than ${limit} bytes.`);
  if (Number(request.headers.get("Content-Length") ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function mustBeJson(c: Context): void {
  const type = c.req.header("Content-Type") ?? "";
  const coding = c.req.header("Content-Encoding") ?? "identity";
  if (/^application\/([\w.+-]+\+)?json *(;|$)/i.test(type) && coding.toLowerCase() === "identity") return;
  throw new HttpProblem(415, "Send the body as JSON, with the header Content-Type: application/json.", {
    Accept: "application/json",
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "The body is not valid UTF-8.");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, `The body is not JSON: ${(error as Error).message}.`);
  }
}
