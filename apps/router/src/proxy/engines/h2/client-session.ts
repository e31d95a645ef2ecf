import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { DataPlane } from "../../data-plane.ts";
import { plainAddress } from "../../networks.ts";
import { Allowance } from "./allowance.ts";
import { startStream } from "./start-stream.ts";
import type { Ways } from "./ways.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

/** Streams that one client may have open at once. */
const MOST_STREAMS = 128;
/** Bytes of all requests together that may be under way. A stream's own window bounds what is kept of a slow one. */
const CONNECTION_WINDOW = 1024 * 1024;
/** HPACK and RFC 9113 section 6.5.2 count this much for each field beside its bytes. */
const FIELD_OVERHEAD = 32;
/** Fields beyond `limits.headers` that are read, so that they can be refused with an answer rather than a reset. */
const MORE_FIELDS = 64;
/** The largest stream id: a GOAWAY with it announces the end and refuses nothing yet (RFC 9113 section 6.8). */
const LAST_STREAM = 2 ** 31 - 1;
/** What a client may do at once, and then in a second, before it is taken for an attack. */
const RESETS = { burst: 250, rate: 100 };
const CONTROLS = { burst: 1000, rate: 100 };
/** How long a connection that has been told to calm down, or to go, may take to close, in milliseconds. */
const LINGER = 1000;

export interface SessionOwner {
  readonly plane: DataPlane;
  readonly ways: Ways;
  onGone(session: ClientSession): void;
}

/** One client's HTTP/2 connection. */
export class ClientSession {
  readonly http2: ServerHttp2Session;
  readonly #owner: SessionOwner;
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #controls = new Allowance(CONTROLS);
  readonly #preface: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #open = 0;
  #told = false;
  #calmed = false;

  constructor(owner: SessionOwner, socket: Socket) {
    const { plane } = owner;
    this.#owner = owner;
    this.#socket = socket;
    this.#peer = plainAddress(socket.remoteAddress ?? "");
    this.http2 = performServerHandshake(socket, optionsOf(plane));
    this.#preface = setTimeout(() => this.destroy(), plane.config.timeouts.client_header);
    this.#listen();
    this.http2.setLocalWindowSize(CONNECTION_WINDOW);
    this.#rest();
  }

  /** Asks the client to leave, and refuses nothing yet. @returns false where it was asked before */
  announceEnd(): boolean {
    if (this.#told) return false;
    this.#told = true;
    if (!this.#isGone) this.http2.goaway(NGHTTP2_NO_ERROR, LAST_STREAM);
    return true;
  }

  /** Refuses new streams; the connection ends with its last one. */
  close(): void {
    if (!this.#isGone) this.http2.close();
    if (this.#open === 0) this.#linger();
  }

  destroy(): void {
    this.http2.destroy();
    this.#socket.destroy();
  }

  get #isGone(): boolean {
    return this.http2.destroyed || this.http2.closed;
  }

  #listen(): void {
    const { http2 } = this;
    http2.on("error", () => {});
    http2.once("close", () => this.#gone());
    http2.once("remoteSettings", () => clearTimeout(this.#preface));
    http2.on("remoteSettings", () => this.#control());
    http2.on("ping", () => this.#control());
    http2.on("stream", (stream, _headers, flags, raw) =>
      this.#begin(stream, flags, raw as readonly string[]),
    );
  }

  #begin(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.#open++;
    clearTimeout(this.#idle);
    stream.on("error", () => {}); // its closing says it all
    stream.once("close", () => this.#ended());
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    startStream(this.#owner.plane, this.#owner.ways, stream, { raw, ended, peer: this.#peer });
  }

  #ended(): void {
    this.#open--;
    if (this.#open === 0) this.#rest();
  }

  /** SETTINGS and PING want an answer each. */
  #control(): void {
    if (!this.#controls.take(this.#owner.plane.now())) this.#calm();
  }

  #calm(): void {
    if (this.http2.destroyed || this.#calmed) return;
    this.#calmed = true;
    this.http2.goaway(NGHTTP2_ENHANCE_YOUR_CALM);
    setImmediate(() => this.http2.destroy(NGHTTP2_ENHANCE_YOUR_CALM as never));
  }

  #rest(): void {
    clearTimeout(this.#idle);
    if (this.http2.closed) return this.#linger();
    this.#idle = setTimeout(() => this.close(), this.#owner.plane.config.timeouts.keepalive);
    this.#idle.unref();
  }

  /** Node waits for the client to close; one that does not is closed. */
  #linger(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#open === 0) this.destroy();
    }, LINGER);
  }

  #gone(): void {
    clearTimeout(this.#preface);
    clearTimeout(this.#idle);
    this.#owner.onGone(this);
  }
}

/**
 * nghttp2 and Node bound CONTINUATION frames, unanswered control frames, and by these numbers resets, empty frames, and
 * invalid ones, by which a client makes us reset streams (CVE-2025-8671).
 */
function optionsOf(plane: DataPlane) {
  const { header, headers } = plane.config.limits;
  return {
    settings: {
      maxConcurrentStreams: MOST_STREAMS,
      maxHeaderListSize: header + headers * FIELD_OVERHEAD,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: headers + MORE_FIELDS,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSessionMemory: 16,
    strictSingleValueFields: false,
    streamResetBurst: RESETS.burst,
    streamResetRate: RESETS.rate,
  };
}
