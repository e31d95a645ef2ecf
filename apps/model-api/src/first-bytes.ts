import type { Socket } from "node:net";

/** What an HTTP/2 client with prior knowledge sends first (RFC 9113 section 3.4); no HTTP/1.1 request begins so. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Reads as little as tells HTTP/2 from HTTP/1.1, puts it back, and says which it is. A client that says too little, or
 * nothing, for `timeout` milliseconds is cut off.
 */
export function tellProtocol(
  socket: Socket,
  timeout: number,
  onTold: (protocol: "http/1.1" | "h2") => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const timer = setTimeout(giveUp, timeout);
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const matches = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (matches && length < PREFACE.length) return;
    leave();
    socket.pause();
    socket.unshift(seen);
    onTold(matches ? "h2" : "http/1.1");
  };
  const leave = () => {
    clearTimeout(timer);
    socket.off("data", onData).off("end", giveUp).off("error", giveUp).off("close", leave);
  };
  socket.on("data", onData).on("end", giveUp).on("error", giveUp).on("close", leave);
}
