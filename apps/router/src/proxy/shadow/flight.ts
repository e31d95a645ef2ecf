import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Field } from "../../core/forwarding.ts";
import type { CopyOutcome } from "../../core/shadow/view.ts";
import type { Target } from "../../targets/target.ts";
import { Gathered } from "../answers/gathered.ts";
import { failure } from "../engines/failure.ts";
import type { Pools } from "../engines/http-proxy/outgoing.ts";

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
  readonly body: Buffer;
}

/** What came back. */
export interface Echo {
  readonly outcome: CopyOutcome;
  readonly type: string | undefined;
  readonly coding: string | undefined;
  /** Only of an answer with status 200. */
  readonly content: Buffer;
  readonly status: number;
}

const NOTHING = Buffer.alloc(0);

/** One copy on its way: it ends exactly once, within its time, whatever the shadow does. */
export class Flight {
  readonly #pools: Pools;
  readonly #target: Target;
  readonly #letter: Letter;
  readonly #most: number;
  readonly #landed: (echo: Echo) => void;
  readonly #timer: NodeJS.Timeout;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  readonly #content = new Gathered();
  #size = 0;
  #over = false;

  /** @param limits `timeout`: milliseconds until the end of the answer; `answer`: bytes of it that are read */
  constructor(
    pools: Pools,
    target: Target,
    letter: Letter,
    limits: { readonly timeout: number; readonly answer: number },
    landed: (echo: Echo) => void,
  ) {
    this.#pools = pools;
    this.#target = target;
    this.#letter = letter;
    this.#most = limits.answer;
    this.#landed = landed;
    this.#timer = setTimeout(() => this.#end("timeout"), limits.timeout);
    this.#timer.unref();
    try {
      this.#send(false);
    } catch {
      setImmediate(() => this.#end("reset")); // http.request refuses what it cannot write
    }
  }

  /** Bytes of the answer so far. */
  get received(): number {
    return this.#size;
  }

  abort(): void {
    this.#end("aborted");
  }

  #send(fresh: boolean): void {
    const target = this.#target;
    const sending = request({
      host: target.host,
      port: target.port,
      method: "POST",
      path: this.#letter.path,
      headers: this.#headers(),
      agent: fresh ? this.#pools.fresh(target) : this.#pools.for(target, true),
      setDefaultHeaders: false,
    });
    let connected = false;
    sending.once("socket", (socket) => {
      connected = !socket.connecting;
      if (connected) return; // a kept one would gather a listener with each copy
      socket.once("connect", () => {
        connected = true;
      });
    });
    sending.on("response", (response) => this.#read(response));
    sending.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#over || sending !== this.#request) return;
      const outcome = failure(error, connected);
      // The target may have closed a kept connection just when it was used again.
      if (outcome === "reset" && sending.reusedSocket && !fresh && this.#response === undefined)
        return this.#send(true);
      this.#end(outcome === "connect_failed" || outcome === "tls_failed" ? "connect" : "reset");
    });
    this.#request = sending;
    sending.end(this.#letter.body);
  }

  #headers(): string[] {
    const kept = this.#letter.fields.filter(([name]) => !SAID_ANEW.has(name.toLowerCase()));
    const own: Field[] = [
      ["Accept-Encoding", "identity"],
      ["X-Sluice-Shadow", "1"],
      ["Content-Length", String(this.#letter.body.length)],
      ["Connection", "keep-alive"],
    ];
    return [...kept, ...own].flat();
  }

  #read(response: IncomingMessage): void {
    this.#response = response;
    response.on("data", (part: Buffer) => {
      this.#size += part.length;
      if (this.#size > this.#most) this.#end("too_large");
      else if (response.statusCode === 200) this.#content.add(part);
    });
    response.once("end", () => this.#end(response.complete ? outcomeOf(response.statusCode!) : "reset"));
    response.once("error", () => this.#end("reset"));
    response.once("close", () => this.#end("reset"));
  }

  #end(outcome: CopyOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    const { headers = {}, statusCode: status = 0 } = this.#response ?? {};
    const isWhole = outcome === "answered" || outcome === "rejected" || outcome === "failed";
    const content = isWhole ? this.#content.take() : NOTHING;
    this.#content.drop();
    if (!isWhole) this.#request?.destroy();
    this.#landed({
      outcome,
      status,
      type: headers["content-type"],
      coding: headers["content-encoding"],
      content,
    });
  }
}

function outcomeOf(status: number): CopyOutcome {
  if (status >= 500) return "failed";
  return status >= 400 ? "rejected" : "answered";
}
