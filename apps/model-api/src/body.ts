import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Rejection } from "./metrics.ts";

/** Why a request is refused: for the metrics, for the problem document, and headers that go with it. */
export interface Refusal {
  readonly reason: Rejection;
  readonly status: 400 | 413 | 415 | 422 | 503;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * Reads a JSON body of at most `limit` bytes, however it is framed.
 * @param undeclared take a body without Content-Type as JSON, as clients of the Open Inference Protocol send it
 */
export async function readJson(
  c: Context,
  limit: number,
  { undeclared = false } = {},
): Promise<{ value: unknown } | Refusal> {
  const wrongType = refuseType(c, undeclared ? "application/json" : "");
  if (wrongType) return wrongType;
  try {
    if (await fits(c, limit)) return { value: JSON.parse(await c.req.text()) };
  } catch (error) {
    const fault = error instanceof SyntaxError ? `is not JSON: ${shorten(error.message)}` : "was cut off";
    return { reason: "malformed_json", status: 400, detail: `The body ${fault}.` };
  }
  return { reason: "body_too_large", status: 413, detail: `The body is larger than ${limit} bytes.` };
}

/** RFC 9110 section 15.5.16: the answer says what would have been accepted. */
function refuseType(c: Context, fallback: string): Refusal | undefined {
  const coding = c.req.header("Content-Encoding")?.toLowerCase() ?? "identity";
  const refused = { reason: "media_type", status: 415 } as const;
  if (coding !== "identity") {
    const headers = { "Accept-Encoding": "identity" };
    return { ...refused, headers, detail: "The body is compressed: expected it as it is." };
  }
  if (JSON_TYPE.test(c.req.header("Content-Type") ?? fallback)) return undefined;
  const headers = { Accept: "application/json" };
  return { ...refused, headers, detail: "The Content-Type is not application/json." };
}

/**
 * A declared length decides at once, since the parser holds the client to it; only chunks need to be counted. To look at
 * the body as a stream, as counting does, costs as much as all the rest of a small prediction.
 */
async function fits(c: Context, limit: number): Promise<boolean> {
  const declared = c.req.header("Content-Length");
  if (declared !== undefined) return Number(declared) <= limit;
  let within = true;
  const onError = () => {
    within = false;
    return new Response();
  };
  await bodyLimit({ maxSize: limit, onError })(c, async () => {});
  return within;
}

/** V8 quotes the text around the error; of a long one-line body only the beginning helps. */
function shorten(message: string): string {
  return message.length > 120 ? `${message.slice(0, 120)}…` : message;
}
