import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Config } from "../config/config.ts";
import { admit, isRefusal } from "../core/request-line.ts";

const ACME = "/.well-known/acme-challenge/";
/** Tokens of base64url (RFC 8555 section 8.3). */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;

export interface RedirectOptions {
  readonly config: () => Config;
  /** The port that clients reach HTTPS by. */
  readonly port: () => number;
  /** What proves that a host is ours, by token. */
  readonly challenges: ReadonlyMap<string, string>;
  /** Hosts of the certificates. */
  readonly names: () => readonly string[];
}

/**
 * The port for plain HTTP: sends every request to the same URL with https, with method and body (308), and answers an
 * ACME authority's questions (RFC 8555 section 8.3). It never speaks to a target.
 */
export class Redirect {
  readonly server: Server;
  /** Requests that were sent to HTTPS. */
  count = 0;
  readonly #options: RedirectOptions;

  constructor(options: RedirectOptions) {
    this.#options = options;
    const { limits, timeouts } = options.config();
    this.server = createServer(
      {
        maxHeaderSize: limits.header,
        headersTimeout: timeouts.client_header,
        requestTimeout: timeouts.client_header,
        keepAliveTimeout: timeouts.keepalive,
        connectionsCheckingInterval: Math.min(1000, timeouts.client_header),
        requireHostHeader: false, // admit() says it with a problem document
      },
      (request, response) => this.#answer(request, response),
    );
    this.server.maxConnections = limits.connections;
    this.server.maxHeadersCount = 0; // admit() counts
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url: target = "", httpVersion } = request;
    const fields = pairs(request.rawHeaders);
    const admitted = admit({ method, target, fields, httpVersion }, this.#options.config().limits);
    if (isRefusal(admitted)) return refuse(response, admitted.status, admitted.detail);
    const { path, host } = admitted;
    if (path.startsWith(ACME) && (method === "GET" || method === "HEAD")) return this.#prove(path, response);
    const name = host.replace(/:\d*$/, "");
    if (name === "" || path === "*")
      return refuse(response, 400, "There is no https URL for a request that names no host or path.");
    if (!this.#isOurs(name)) return refuse(response, 421, "No certificate here is for this host.");
    this.count++;
    const port = this.#options.port();
    const location = `https://${name}${port === 443 ? "" : `:${port}`}${path}`;
    // What follows a body that nobody reads would be taken for the next request.
    const close = method === "GET" || method === "HEAD" ? {} : { Connection: "close" };
    response.writeHead(308, { Location: location, "Content-Length": 0, ...close });
    response.end();
    request.resume();
  }

  #prove(path: string, response: ServerResponse): void {
    const token = path.slice(ACME.length);
    const proof = TOKEN.test(token) ? this.#options.challenges.get(token) : undefined;
    if (proof === undefined) return refuse(response, 404, "No authority has been told to ask for this.");
    response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": proof.length });
    response.end(proof);
  }

  #isOurs(name: string): boolean {
    if (!this.#options.config().tls?.strict_sni) return true;
    const lower = name.toLowerCase();
    const wildcard = `*${lower.slice(lower.indexOf("."))}`;
    return this.#options.names().some((each) => each === lower || each === wildcard);
  }
}

function refuse(response: ServerResponse, status: number, detail: string): void {
  const body = `${JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail })}\n`;
  response.writeHead(status, {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  });
  response.end(body);
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!]);
}
