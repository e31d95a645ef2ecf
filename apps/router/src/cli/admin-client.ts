import { userInfo } from "node:os";
import { refusedUs, tlsFault } from "../targets/dialer.ts";
import { CliError } from "./errors.ts";
import { type ClientTls, secureFetch } from "./tls-options.ts";

/** Milliseconds that an answer may take, on top of what the router was asked to wait. */
const PATIENCE = 10_000;

export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: object;
  readonly query?: Readonly<Record<string, string>>;
  /** The revision that the change is meant for. */
  readonly ifMatch?: number | undefined;
  /** Milliseconds that the router was asked to wait before it answers. */
  readonly wait?: number;
  /** Ends the call early; it rejects with what this was aborted with. */
  readonly signal?: AbortSignal;
  /** A status besides 2xx that is an answer and no failure. */
  readonly also?: number;
}

/** The router has answered, and refuses. */
export class RefusedError extends CliError {
  /** HTTP status. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

interface Problem {
  readonly title?: unknown;
  readonly detail?: unknown;
}

/** Speaks to a router's admin API. Every failure is a `CliError` with one sentence. */
export class AdminClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #tls: ClientTls | undefined;

  constructor({ url, token, tls }: { url: string; token: string | undefined; tls?: ClientTls | undefined }) {
    this.#tls = tls;
    this.url = url;
    this.#token = token;
  }

  /**
   * The JSON that the router answers.
   * @param fault why an answer is no router's; undefined: it is one
   * @throws CliError
   */
  async call<T>(
    path: string,
    call: Call = {},
    fault: (answer: T) => string | undefined = () => undefined,
  ): Promise<T> {
    const response = await this.#send(path, call);
    const text = await response.text().catch((error) => this.#fail(error, call, "its answer broke off"));
    const isJson = /^application\/(problem\+)?json/.test(response.headers.get("content-type") ?? "");
    const value = isJson ? parse(text) : undefined;
    if (value === undefined) throw this.foreign(`HTTP ${response.status}`);
    const accepted = response.ok || response.status === call.also;
    const found = accepted ? fault(value as T) : isProblem(value) ? undefined : `HTTP ${response.status}`;
    if (found !== undefined) throw this.foreign(found);
    if (accepted) return value as T;
    throw new RefusedError(this.#refusal(response.status, value), response.status);
  }

  /** What to say when something else than a router listens there. */
  foreign(found: string): CliError {
    return new CliError(
      `what answers at ${this.url} is not a Sluice admin API (${found}). Is --admin right?`,
    );
  }

  async #send(path: string, call: Call): Promise<Response> {
    const query = call.query ? `?${new URLSearchParams(call.query)}` : "";
    const headers: Record<string, string> = { Accept: "application/json", "X-Sluice-Actor": actor() };
    if (this.#token !== undefined) headers.Authorization = `Bearer ${this.#token}`;
    if (call.body) headers["Content-Type"] = "application/json";
    if (call.ifMatch !== undefined) headers["If-Match"] = `"${call.ifMatch}"`;
    const send = await secureFetch(this.#tls);
    try {
      return await send(`${this.url}${path}${query}`, {
        method: call.method ?? "GET",
        headers,
        ...(call.body ? { body: JSON.stringify(call.body) } : {}),
        redirect: "manual",
        signal: AbortSignal.any([
          AbortSignal.timeout(PATIENCE + (call.wait ?? 0)),
          ...(call.signal ? [call.signal] : []),
        ]),
      });
    } catch (error) {
      return this.#fail(error, call);
    }
  }

  /** @param closed what it means that the connection was closed, where that is known */
  #fail(error: unknown, { wait = 0, signal }: Call, closed?: string): never {
    signal?.throwIfAborted();
    const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    if (name === "TimeoutError") {
      throw new CliError(`the router at ${this.url} did not answer within ${(PATIENCE + wait) / 1000} s.`);
    }
    if (cause?.code === "ECONNREFUSED") {
      throw new CliError(
        `no router answers at ${this.url} (connection refused). Is it running? Start it with \`npm start\` or \`sluice serve --config sluice.yaml\`.`,
      );
    }
    if (closed !== undefined && isClosed(cause)) throw this.foreign(closed);
    const untrusted = this.#tlsFailure(cause);
    if (untrusted) throw new CliError(untrusted);
    if (cause?.name === "HTTPParserError") throw this.foreign("its answer is not HTTP");
    throw new CliError(`no router answers at ${this.url} (${reason(cause ?? (error as Error))}).`);
  }

  /** What is wrong between the two certificates, and what to do; undefined where something else is. */
  #tlsFailure(cause: NodeJS.ErrnoException | undefined): string | undefined {
    const secure = this.url.startsWith("https:");
    const closed = isClosed(cause);
    if (secure && closed)
      return `the router at ${this.url} has closed the connection; it may want a client certificate of its authority: --cert FILE and --key FILE.`;
    if (closed) return `what listens at ${this.url} has closed the connection; does it speak https?`;
    const fault = tlsFault(cause);
    if (fault === undefined) return undefined;
    if (fault === "it does not speak TLS")
      return `what listens at ${this.url} does not speak TLS; use http://.`;
    if (refusedUs(cause)) {
      const how =
        this.#tls?.cert === undefined ? "wants a client certificate" : "does not accept this certificate";
      return `the router at ${this.url} ${how}: give one of its authority with --cert FILE and --key FILE.`;
    }
    return `the router at ${this.url} is not to be trusted: ${fault}; give its authority with --ca FILE.`;
  }

  #refusal(status: number, { detail, title }: Problem): string {
    const why = [detail, title].find((text) => typeof text === "string" && text !== "") ?? `HTTP ${status}`;
    const sentence = String(why).replace(/\s+/g, " ");
    if (status !== 401) return sentence;
    if (this.#token !== undefined) return `the router at ${this.url} does not accept this token. ${sentence}`;
    return `the router at ${this.url} asks for a token: give it in SLUICE_ADMIN_TOKEN or with --token-file FILE.`;
  }
}

function isClosed(cause: NodeJS.ErrnoException | undefined): boolean {
  return cause?.code === "UND_ERR_SOCKET" || cause?.code === "ECONNRESET";
}

/** A router says why it refuses (RFC 9457). */
function isProblem({ detail, title }: Problem): boolean {
  return [detail, title].some((text) => typeof text === "string" && text !== "");
}

/** Who asks, for the history: the name that this machine knows the user by. */
function actor(): string {
  try {
    return encodeURIComponent(userInfo().username);
  } catch {
    return ""; // a container's user without a name
  }
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function reason(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ENOTFOUND: "no such host",
    EAI_AGAIN: "the host's name cannot be looked up",
    ECONNRESET: "connection reset",
    UND_ERR_SOCKET: "connection closed",
    EHOSTUNREACH: "host unreachable",
  };
  return known[error.code ?? ""] ?? error.code ?? error.message;
}
