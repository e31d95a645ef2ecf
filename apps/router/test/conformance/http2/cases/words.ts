import { CODE, headers } from "../../../support/http2/frames.ts";
import { type Fields, headerBlock } from "../../../support/http2/hpack.ts";

export const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, COMPRESSION_ERROR } =
  CODE;

/** A request's pseudo-fields, and whatever follows them. */
export function fields(method: string, path: string, more: Fields = []): Fields {
  return [[":method", method], [":scheme", "http"], [":path", path], [":authority", "a"], ...more];
}

export const GET = (path = "/a", more: Fields = []): Buffer => headerBlock(fields("GET", path, more));
export const POST = (path = "/a", more: Fields = []): Buffer => headerBlock(fields("POST", path, more));

/** A whole request without a body on a stream. */
export const get = (stream = 1, path?: string, more?: Fields): Buffer => headers(stream, GET(path, more));
/** A request whose body follows. */
export const post = (stream = 1, more?: Fields, path?: string): Buffer =>
  headers(stream, POST(path, more), { end: false });

/** A malformed message: an error of its stream, or an answer that says so (RFC 9113 section 8.1.1). */
export const MALFORMED = { reset: [PROTOCOL_ERROR], status: [400], goaway: [PROTOCOL_ERROR] };
/** The same where some check comes earlier than the protocol's. */
export const REFUSED = { ...MALFORMED, status: [400, 405, 413, 431, 501] };
/** An error of the connection. */
export const broken = (...codes: number[]) => ({ goaway: codes });
