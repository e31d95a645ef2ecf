import { validateHeaderName, validateHeaderValue } from "node:http";
import type { Field } from "../../core/forwarding.ts";
import type { CopyOutcome } from "../../core/shadow/view.ts";
import type { Target } from "../../targets/target.ts";
import { Gathered } from "../answers/gathered.ts";
import type { Head } from "../engines/wire/head.ts";
import type { CopyConnection, CopyReader } from "./copy-connection.ts";
import type { CopyConnections } from "./copy-connections.ts";

/** What is said anew for a copy: framing and connection are its own, and nobody waits for a coded answer. */
const SAID_ANEW: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "accept-encoding",
]);

export interface Letter {
  readonly path: string;
  readonly fields: readonly Field[];
  readonly body: Gathered;
}

/** What came back. */
export interface Echo {
  readonly outcome: CopyOutcome;
  readonly type: string | undefined;
  readonly coding: string | undefined;
  /** Only of an answer with status 200. */
  readonly content: Gathered;
  readonly status: number;
}

/** One copy on its way: it ends exactly once, within its time, whatever the shadow does. */
export class Flight implements CopyReader {
  readonly #connections: CopyConnections;
  readonly #target: Target;
  readonly #letter: Letter;
  readonly #most: number;
  readonly #landed: (echo: Echo) => void;
  readonly #timer: NodeJS.Timeout;
  #connection: CopyConnection | undefined;
  readonly #content = new Gathered();
  #status = 0;
  #type: string | undefined;
  #coding: string | undefined;
  #size = 0;
  #over = false;

  /** @param limits `timeout`: milliseconds until the end of the answer; `answer`: bytes of it that are read */
  constructor(
    connections: CopyConnections,
    target: Target,
    letter: Letter,
    limits: { readonly timeout: number; readonly answer: number },
    landed: (echo: Echo) => void,
  ) {
    this.#connections = connections;
    this.#target = target;
    this.#letter = letter;
    this.#most = limits.answer;
    this.#landed = landed;
    this.#timer = setTimeout(() => this.#end("timeout"), limits.timeout);
    this.#timer.unref();
    try {
      this.#send(false);
    } catch {
      setImmediate(() => this.#end("reset")); // it cannot be written
    }
  }

  /** Bytes of the answer so far. */
  get received(): number {
    return this.#size;
  }

  abort(): void {
    this.#end("aborted");
  }

  onHead(head: Head): void {
    this.#status = head.status;
    this.#type = head.valueOf("content-type");
    this.#coding = head.valueOf("content-encoding");
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#size += end - start;
    if (this.#size > this.#most) this.#end("too_large");
    else if (this.#status === 200) this.#content.add(bytes, start, end);
  }

  onEnd(): void {
    this.#end(outcomeOf(this.#status));
  }

  onFailed(outcome: "connect" | "reset", stale: boolean): void {
    if (stale) this.#send(true);
    else this.#end(outcome);
  }

  #send(fresh: boolean): void {
    const { body } = this.#letter;
    const head = headOf(this.#letter);
    this.#connection = this.#connections.take(this.#target, fresh);
    this.#connection.send(this, head, body);
  }

  #end(outcome: CopyOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    const isWhole = outcome === "answered" || outcome === "rejected" || outcome === "failed";
    if (isWhole) this.#connections.put(this.#connection!);
    else this.#connection?.destroy();
    if (!isWhole) this.#content.drop();
    const [status, type, coding] = [this.#status, this.#type, this.#coding];
    this.#landed({ outcome, status, type, coding, content: this.#content });
  }
}

/**
 * Over HTTP/2 the main target may get what has no form in HTTP/1.1: beyond latin1 a character would be written as another one, which may
 * end the line. @throws TypeError
 */
function headOf({ path, fields, body }: Letter): string {
  if (/[^\x21-\xff]/.test(path)) throw new TypeError("a path that cannot be written");
  let head = `POST ${path} HTTP/1.1\r\n`;
  for (const [name, value] of fields) {
    if (SAID_ANEW.has(name.toLowerCase())) continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}Accept-Encoding: identity\r\nX-Sluice-Shadow: 1\r\nContent-Length: ${body.length}\r\n\r\n`;
}

function outcomeOf(status: number): CopyOutcome {
  if (status >= 500) return "failed";
  return status >= 400 ? "rejected" : "answered";
}
