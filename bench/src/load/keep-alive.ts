import { connect, type Socket } from "node:net";

const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** Whether an answer was whole and good. */
type Answered = (ok: boolean) => void;

/** A connection that asks for `/` again and again, one request at a time, as cheaply as Node can. */
export class KeepAlive {
  readonly socket: Socket;
  closed = false;
  #answered: Answered | undefined;
  #text = "";

  /** @param from the address to connect from; undefined: the system's choice */
  constructor(port: number, from: string | undefined, onClosed: () => void) {
    const bound = from === undefined ? {} : { localAddress: from };
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true, ...bound });
    this.socket.setEncoding("latin1").on("data", (text: string) => this.#read(text));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
      this.#settle(false);
      onClosed();
    });
  }

  send(answered: Answered): void {
    this.#answered = answered;
    this.socket.write(REQUEST, "latin1");
  }

  #read(text: string): void {
    this.#text += text;
    const end = endOfAnswer(this.#text);
    if (end === undefined || this.#text.length < end) return;
    const ok = this.#text.startsWith("HTTP/1.1 200 ");
    this.#text = this.#text.slice(end);
    this.#settle(ok);
  }

  #settle(ok: boolean): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(ok);
  }
}

/**
 * Where the first answer ends, all of it or not; undefined while its head is not whole. It knows what the small upstream's
 * answer becomes behind any proxy: a length, or one chunk.
 */
export function endOfAnswer(text: string): number | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  if (length !== undefined) return headEnd + 4 + Number(length);
  const last = text.indexOf("\r\n0\r\n\r\n", headEnd + 2);
  return last < 0 ? undefined : last + 7;
}
