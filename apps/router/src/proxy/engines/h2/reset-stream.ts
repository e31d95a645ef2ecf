import type { Http2Stream } from "node:http2";

/**
 * Resets a stream (RFC 9113 section 6.4), and nothing else: `close` alone also ends what was being sent, and so half a
 * message would look whole to the other side until the reset comes behind it.
 */
export function resetStream(stream: Http2Stream, code: number): void {
  if (stream.destroyed || stream.closed) return;
  stream._final = (done) => done(null);
  stream.close(code);
  stream.resume(); // what was read already would keep it open
}
