import { Agent, request } from "node:http";

export interface LoadOptions {
  readonly url: string;
  /** Requests a second, sent on schedule whether or not earlier ones were answered. */
  readonly rate: number;
  /** What the i-th request is. Default: GET. */
  readonly kind?: (i: number) => { method: string; path: string; body?: string };
}

export interface LoadResult {
  readonly sent: number;
  /** One line for each request that was not answered with 200. */
  readonly lost: readonly string[];
  /** Milliseconds from the moment a request was due, ascending. */
  readonly latencies: readonly number[];
  readonly byColor: Readonly<Record<string, number>>;
}

/** Value below which the share `q` of the ascending `values` lies. */
export function quantile(values: readonly number[], q: number): number {
  return values[Math.min(values.length - 1, Math.ceil(values.length * q) - 1)] ?? Number.NaN;
}

/**
 * A steady load over keep-alive connections, to a loopback address. Runs until `stop`, at most three minutes.
 * Latency counts from when a request was due, so that a stalled client cannot hide a stalled server.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 });
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();
  readonly #lost: string[] = [];
  readonly #latencies: number[] = [];
  readonly #byColor: Record<string, number> = {};
  #sent = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), 5);
  }

  get #most(): number {
    return this.#options.rate * 180;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Resolves once that many more requests were sent. @throws when the load's three minutes are over before */
  async more(requests: number): Promise<void> {
    const goal = this.#sent + requests;
    if (goal > this.#most) throw new Error(`a load ends after three minutes: ${goal} requests are too many`);
    while (this.#sent < goal) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Sends for that long. */
  seconds(seconds: number): Promise<void> {
    return this.more(Math.round(seconds * this.#options.rate));
  }

  async stop(): Promise<LoadResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#agent.destroy();
    this.#latencies.sort((a, b) => a - b);
    return { sent: this.#sent, lost: this.#lost, latencies: this.#latencies, byColor: this.#byColor };
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#began) / 1000) * this.#options.rate);
    while (this.#sent < Math.min(due, this.#most)) this.#send(this.#sent++);
  }

  #send(i: number): void {
    const dueAt = this.#began + (i / this.#options.rate) * 1000;
    const sending = this.#exchange(i).then((problem) => {
      this.#latencies.push(performance.now() - dueAt);
      this.#pending.delete(sending);
      if (problem) this.#lost.push(`${Math.round(dueAt - this.#began)} ms: ${problem}`);
    });
    this.#pending.add(sending);
  }

  /** Resolves with what went wrong, or nothing. */
  #exchange(i: number): Promise<string | undefined> {
    const { method, path, body } = this.#options.kind?.(i) ?? { method: "GET", path: "/", body: undefined };
    return new Promise((resolve) => {
      const headers =
        body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length };
      const sent = request(
        `${this.#options.url}${path}`,
        { method, agent: this.#agent, headers },
        (response) => {
          const color = String(response.headers["x-sluice-color"]);
          this.#byColor[color] = (this.#byColor[color] ?? 0) + 1;
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("error", (error) => resolve(`${method} ${path} broke off: ${error.message}`));
          response.on("end", () =>
            resolve(response.statusCode === 200 ? undefined : `${response.statusCode} ${text}`),
          );
        },
      );
      sent.on("error", (error) => resolve(`${method} ${path} failed: ${error.message}`));
      sent.end(body);
    });
  }
}
