import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { CODE, FLAG, type Frame, PREFACE, ping, readFrames, settings, settingsAck, TYPE } from "./frames.ts";
import { HpackDecoder } from "./hpack.ts";

/** What came on one stream. */
export interface Received {
  /** Final heads and trailers, in their order; interim heads are apart. */
  readonly heads: [string, string][][];
  readonly interim: [string, string][][];
  body: Buffer;
  /** The last frame had END_STREAM. */
  ended: boolean;
  /** Error code of a RST_STREAM. */
  reset: number | undefined;
}

export interface FrameClientOptions {
  /** What is sent first; default: the preface and empty SETTINGS. */
  readonly opening?: Buffer;
}

/** An HTTP/2 client that speaks frames, for what no library would send. It never updates a window by itself. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Error code of the other side's GOAWAY. */
  goaway: number | undefined;
  closed = false;
  /** Whether SETTINGS and PINGs are acknowledged. */
  polite = true;
  readonly #hpack = new HpackDecoder();
  readonly #streams = new Map<number, Received>();
  #pending: Buffer = Buffer.alloc(0);
  #block: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#read(chunk));
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.closed = true;
        this.#wake();
      });
    }
  }

  static async connect(port: number, options: FrameClientOptions = {}): Promise<FrameClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new FrameClient(socket);
    await once(socket, "connect");
    client.send(options.opening ?? Buffer.concat([PREFACE, settings()]));
    return client;
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  stream(id: number): Received {
    let received = this.#streams.get(id);
    if (!received) {
      received = { heads: [], interim: [], body: Buffer.alloc(0), ended: false, reset: undefined };
      this.#streams.set(id, received);
    }
    return received;
  }

  /** The final status on a stream; 0 while there is none. */
  status(id: number): number {
    return Number(this.stream(id).heads[0]?.find(([name]) => name === ":status")?.[1] ?? 0);
  }

  /** A field of a stream's head or trailers. */
  field(id: number, name: string): string | undefined {
    return this.stream(id)
      .heads.flat()
      .find(([each]) => each === name)?.[1];
  }

  /** Resolves once it holds; rejects when the connection ends before. */
  async until(condition: () => unknown, what = "something"): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error(`the connection ended before ${what}; ${this.summary()}`);
      await this.#next();
    }
  }

  /** Resolves once a stream has ended or was reset. */
  settled(id: number): Promise<void> {
    return this.until(() => this.isSettled(id), `stream ${id} had ended`);
  }

  isSettled(id: number): boolean {
    const { ended, reset } = this.stream(id);
    return ended || reset !== undefined;
  }

  /** Resolves once the other side has read all that was sent before, and has answered a PING. */
  async flushed(): Promise<void> {
    const acks = () => this.frames.filter(({ type, flags }) => type === TYPE.PING && flags & FLAG.ACK).length;
    const before = acks();
    this.send(ping());
    await this.until(() => acks() > before, "a PING was answered");
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await this.#next();
  }

  /** What came, for messages of failures. */
  summary(): string {
    const names = Object.entries(TYPE);
    const frames = this.frames.map(({ type, stream }) => `${names[type]?.[0] ?? type}@${stream}`);
    return `received: ${frames.slice(-40).join(" ")}, goaway ${this.goaway}`;
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const { frames, taken } = readFrames(this.#pending);
    this.#pending = this.#pending.subarray(taken);
    for (const frame of frames) this.#take(frame);
    this.#wake();
  }

  #take(frame: Frame): void {
    this.frames.push(frame);
    const { type, flags, stream, payload } = frame;
    const isAck = (flags & FLAG.ACK) !== 0;
    if (type === TYPE.SETTINGS && !isAck && this.polite) this.send(settingsAck());
    if (type === TYPE.PING && !isAck && this.polite) this.send(ping(FLAG.ACK));
    if (type === TYPE.GOAWAY) this.goaway = payload.readUInt32BE(4);
    if (type === TYPE.RST_STREAM) this.stream(stream).reset = payload.readUInt32BE(0);
    if (type === TYPE.DATA) {
      const received = this.stream(stream);
      received.body = Buffer.concat([received.body, payload]);
    }
    if (type === TYPE.HEADERS || type === TYPE.CONTINUATION) this.#head(frame);
    if ((type === TYPE.HEADERS || type === TYPE.DATA) && flags & FLAG.END_STREAM)
      this.stream(stream).ended = true;
  }

  #head({ flags, stream, payload }: Frame): void {
    this.#block.push(payload);
    if (!(flags & FLAG.END_HEADERS)) return;
    const fields = this.#hpack.decode(Buffer.concat(this.#block));
    this.#block = [];
    const isInterim = fields.some(([name, value]) => name === ":status" && value.startsWith("1"));
    const { heads, interim } = this.stream(stream);
    (isInterim ? interim : heads).push(fields);
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** An error code's name, for messages. */
export function codeName(code: number | undefined): string {
  return Object.entries(CODE).find(([, value]) => value === code)?.[0] ?? String(code);
}
