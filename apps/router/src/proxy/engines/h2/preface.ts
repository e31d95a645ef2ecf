import type { Socket } from "node:net";

/** What an HTTP/2 client sends first (RFC 9113 section 3.4); no HTTP/1.1 request begins so. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Whether bytes begin as the preface does: for a reader that has found a head, the rest may still be to come. */
export function beginsHttp2(bytes: Buffer, start: number): boolean {
  const length = Math.min(bytes.length - start, PREFACE.length);
  return length > 3 && bytes.compare(PREFACE, 0, length, start, start + length) === 0;
}

/**
 * Reads as little as tells HTTP/2 from HTTP/1.1, which most often is the first byte, puts it back, and says which it is.
 * Until then the client has `timeout` milliseconds; one that goes, or says nothing, is cut off.
 */
export function tellProtocol(
  socket: Socket,
  timeout: number,
  onTold: (protocol: "http/1.1" | "h2") => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const leave = () => {
    clearTimeout(timer);
    socket.off("data", read).off("error", giveUp).off("close", leave).off("end", ended);
  };
  const tell = (protocol: "http/1.1" | "h2") => {
    leave();
    socket.pause();
    if (seen.length > 0) socket.unshift(seen);
    onTold(protocol);
  };
  const ended = () => (seen.length === 0 ? giveUp() : tell("http/1.1"));
  const read = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const matches = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (!matches || length === PREFACE.length) tell(matches ? "h2" : "http/1.1");
  };
  // A part of a request that is too slow is answered, and the other server knows how.
  const timer = setTimeout(() => (seen.length === 0 ? giveUp() : tell("http/1.1")), timeout);
  socket.on("data", read).on("end", ended).on("error", giveUp).on("close", leave);
}
