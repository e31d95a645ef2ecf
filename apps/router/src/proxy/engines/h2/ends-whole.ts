import type { Http2Stream } from "node:http2";

/**
 * Tells, once a stream has ended, whether its other side has ended it. A stream that is reset with NO_ERROR ends for Node
 * like a whole one, and half a message must not be taken for a whole one.
 */
export function endsWhole(stream: Http2Stream): () => boolean {
  const push = stream.push;
  let whole = false;
  stream.push = (chunk, encoding) => {
    // Node marks a stream as closed before it ends one that was reset, and afterwards where it was ended.
    if (chunk === null && !stream.closed) whole = true;
    return push.call(stream, chunk, encoding);
  };
  return () => whole;
}
