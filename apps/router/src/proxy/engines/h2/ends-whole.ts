import { constants, type Http2Stream } from "node:http2";

const watched = new WeakMap<Http2Stream, () => boolean>();

/**
 * Tells, once a stream has ended, whether its other side has ended it. A stream that is reset with NO_ERROR ends for Node
 * like a whole one, and half a message must not be taken for a whole one.
 * A stream that is asked about twice is watched from the first time on.
 */
export function endsWhole(stream: Http2Stream): () => boolean {
  const known = watched.get(stream);
  if (known !== undefined) return known;
  const push = stream.push;
  // What comes in one read with the head has been pushed before anybody hears of the stream.
  let whole = stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
  stream.push = (chunk, encoding) => {
    // Node marks a stream as closed before it ends one that was reset, and afterwards where it was ended.
    if (chunk === null && !stream.closed) whole = true;
    return push.call(stream, chunk, encoding);
  };
  const isWhole = () => whole;
  watched.set(stream, isWhole);
  return isWhole;
}
