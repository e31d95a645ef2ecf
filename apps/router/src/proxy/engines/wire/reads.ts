import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/** Bytes of a large body that are read at once. */
const BULK = 256 * 1024;
/** A part of this size fills a socket's buffer by itself (Node's default high-water mark). */
const FILLING = 64 * 1024;

/**
 * What one connection is read into. All connections of an engine share one buffer, since almost all that is read is used up
 * before the next is; bytes are therefore only good during the call. A connection that fills the shared buffer gets a
 * larger one of its own until {@link small}: a part of {@link FILLING} bytes or more is good until the next one is read.
 */
export class Reads {
  /** For `net.connect`, or {@link readInto}. */
  readonly onread: OnReadOpts;
  #bulk: Buffer | undefined;

  constructor(shared: Buffer, read: (bytes: Buffer) => void) {
    this.onread = {
      buffer: () => this.#bulk ?? shared,
      callback: (length, bytes) => {
        const chunk = (bytes as Buffer).subarray(0, length);
        if (length === bytes.length && this.#bulk === undefined) {
          this.#bulk = Buffer.allocUnsafeSlow(BULK);
          read(Buffer.from(chunk));
        } else read(chunk);
        return true;
      },
    };
  }

  /** The large body is over. */
  small(): void {
    this.#bulk = undefined;
  }
}

/** What Node keeps in a socket that its server accepted. */
interface Accepted {
  _handle: unknown;
  _server: unknown;
}

/**
 * The same connection on a socket with `onread`, which `net.connect` knows and `net.createServer` does not: a new socket
 * takes over the handle and the place in its server's count. Where Node has come to keep these elsewhere, the socket
 * itself is returned, and emits `data`.
 * @param socket as a server with `pauseOnConnect` hands it out, so that nothing has been read yet
 */
export function readInto(socket: Socket, { onread }: Reads): Socket {
  const accepted = socket as unknown as Accepted;
  const { _handle: handle, _server: server } = accepted;
  if (!handle || !server) return socket;
  const options = { handle, allowHalfOpen: true, onread };
  accepted._handle = null;
  accepted._server = null;
  return Object.assign(new Socket(options as SocketConstructorOpts), { _server: server });
}

/**
 * The connection of a socket from {@link readInto} on one that emits what it reads, paused, without listeners: for
 * whoever reads it in another way from now on.
 */
export function readPlainly(socket: Socket): Socket {
  const accepted = socket as unknown as Accepted;
  const { _handle: handle, _server: server } = accepted;
  socket.removeAllListeners();
  socket.pause();
  if (!handle || !server) return socket;
  accepted._handle = null;
  accepted._server = null;
  const options = { handle, pauseOnCreate: true } as unknown as SocketConstructorOpts;
  return Object.assign(new Socket(options), { _server: server });
}

/** Bytes that were just read, as a socket may keep them until it has written them. See {@link isStuck}. */
export function lasting(bytes: Buffer): Buffer {
  return bytes.length < FILLING ? Buffer.from(bytes) : bytes;
}

/**
 * The other side has not taken what was written, and so nothing more may be read for it. Once a part of {@link FILLING}
 * bytes has left at once, a socket asks to wait for its `drain` as well, but its buffer is empty.
 */
export function isStuck(socket: Socket): boolean {
  return socket.writableNeedDrain && socket.writableLength > 0;
}
