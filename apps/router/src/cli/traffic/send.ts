import http from "node:http";
import https from "node:https";

export interface Sent {
  /** 0: there was no whole answer. */
  readonly status: number;
  /** Why there was none: a code such as `ECONNREFUSED`, or `timeout`. */
  readonly error: string | undefined;
  /** The color that answered, `none` if the router itself did. */
  readonly color: string;
  /** `X-Request-Id` of the answer. */
  readonly id: string | undefined;
}

/** Sends prediction requests over connections that it keeps. */
export class Sender {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;
  readonly #timeout: number;

  /** @param timeout milliseconds that an answer may take */
  constructor(url: string, timeout: number) {
    this.#url = new URL("/api/predict/", url);
    const { Agent, request } = this.#url.protocol === "https:" ? https : http;
    this.#agent = new Agent({ keepAlive: true, scheduling: "lifo" });
    this.#request = request as typeof http.request;
    this.#timeout = timeout;
  }

  /** Resolves with the ending; never rejects. */
  send(body: string, id: string): Promise<Sent> {
    return new Promise((resolve) => {
      const end = (sent: Partial<Sent>) => {
        clearTimeout(timer);
        resolve({ status: 0, error: undefined, color: "none", id: undefined, ...sent });
      };
      const headers = {
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(body),
        "X-Request-Id": id,
      };
      const request = this.#request(this.#url, { method: "POST", agent: this.#agent, headers }, (answer) => {
        const color = one(answer.headers["x-sluice-color"]) ?? "none";
        const told = { color, id: one(answer.headers["x-request-id"]) };
        answer.resume();
        answer.once("error", (error: NodeJS.ErrnoException) =>
          end({ ...told, error: error.code ?? error.message }),
        );
        answer.once("end", () => end({ ...told, status: answer.statusCode! }));
      });
      const timer = setTimeout(() => {
        end({ error: "timeout" });
        request.destroy();
      }, this.#timeout);
      request.once("error", (error: NodeJS.ErrnoException) => end({ error: error.code ?? error.message }));
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
