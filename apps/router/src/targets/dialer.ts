import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import type { TargetAddress } from "../core/target-address.ts";
import { PLAIN_UPSTREAM, type UpstreamMaterial } from "../tls/material.ts";
import { sharedLookup } from "./shared-lookup.ts";

/** Sessions that are kept for resumption: one for each target and protocol, so this is far more than there are. */
const MOST_SESSIONS = 1024;

export interface DialOptions {
  /** What is offered inside TLS, best first (RFC 7301); the choice is the socket's `alpnProtocol`. Default: `http/1.1`. */
  readonly alpn?: readonly string[];
  /** The caller ends its own half when the target has ended the other. Default: that happens by itself. */
  readonly allowHalfOpen?: boolean;
  /** Read into a buffer of the caller's instead of emitting `data`. */
  readonly onread?: OnReadOpts;
}

type Where = Pick<TargetAddress, "protocol" | "host" | "port">;

/**
 * Makes every connection to targets: of both engines, of tunnels, of the HTTP/2 pool and of checks. A target whose URL
 * says `https` is spoken to inside TLS, or not at all. {@link readyEvent} names the event that says that it can be
 * written to; an error before it is a connection that never was.
 */
export class Dialer {
  #upstream: UpstreamMaterial = PLAIN_UPSTREAM;
  /** Made for the first connection: it holds every certificate authority of the system. */
  #context: SecureContext | undefined;
  #sessions = new Map<string, Buffer>();

  /** Connections from now on use this. What was agreed on under other rules is forgotten. */
  use(upstream: UpstreamMaterial): void {
    if (JSON.stringify(upstream) === JSON.stringify(this.#upstream)) return;
    this.#upstream = upstream;
    this.#context = undefined;
    this.#sessions = new Map();
  }

  dial(where: Where, options: DialOptions = {}): Socket {
    const { host, port } = where;
    const { allowHalfOpen = false } = options;
    const common = { host, port, lookup: sharedLookup, noDelay: true, keepAlive: true, allowHalfOpen };
    const onread = options.onread ? { onread: options.onread } : {};
    if (where.protocol !== "https") return connect({ ...common, ...onread });
    return this.#dialTls(common, options.alpn ?? ["http/1.1"], onread);
  }

  #dialTls(
    common: { readonly host: string; readonly port: number },
    alpn: readonly string[],
    onread: { readonly onread?: OnReadOpts },
  ): TLSSocket {
    const { serverName = common.host, verify } = this.#upstream;
    const sessions = this.#sessions;
    const key = `${common.host} ${common.port} ${alpn}`;
    const session = sessions.get(key);
    const socket = connectTls({
      ...common,
      ...onread,
      // A name for SNI; an address has none (RFC 6066 section 3), and is looked for among the certificate's addresses.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      ALPNProtocols: [...alpn],
      secureContext: this.#secureContext(),
      rejectUnauthorized: verify,
      ...(session ? { session } : {}),
    });
    socket.on("session", (ticket: Buffer) => {
      sessions.delete(key);
      sessions.set(key, ticket);
      if (sessions.size > MOST_SESSIONS) sessions.delete(sessions.keys().next().value!);
    });
    socket.once("error", () => sessions.delete(key)); // whatever it was, the next one begins from scratch
    return socket;
  }

  #secureContext(): SecureContext {
    const { ca, pair } = this.#upstream;
    this.#context ??= createSecureContext({ ca: ca ?? authorities(), ...pair });
    return this.#context;
  }
}

/** The event after which a connection from {@link Dialer.dial} is there. */
export function readyEvent(socket: Socket): "connect" | "secureConnect" {
  return socket instanceof TLSSocket ? "secureConnect" : "connect";
}

let known: string[] | undefined;

/** Mozilla's list as Node has it, and what the machine's administrator trusts, such as a company's own authority. */
function authorities(): string[] {
  known ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return known;
}

/** What OpenSSL calls the ways in which a certificate is not believed. */
const UNTRUSTED: ReadonlyMap<string, string> = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is self-signed and not trusted"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "its certificate comes from an authority that is not trusted"],
  ["UNABLE_TO_GET_ISSUER_CERT", "its certificate comes from an authority that is not trusted"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "its certificate comes from an authority that is not trusted"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "its certificate comes from an authority that is not trusted"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not yet valid"],
  ["CERT_REVOKED", "its certificate is revoked"],
  ["CERT_UNTRUSTED", "its certificate is not trusted"],
  ["CERT_REJECTED", "its certificate is not trusted"],
  ["CERT_SIGNATURE_FAILURE", "its certificate's signature is not valid"],
  ["CERT_CHAIN_TOO_LONG", "its certificate's chain is too long"],
  ["INVALID_CA", "its certificate was issued by one that may not issue any"],
  ["INVALID_PURPOSE", "its certificate is not meant for servers"],
  ["PATH_LENGTH_EXCEEDED", "its certificate's chain is too long"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it does not speak TLS"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "it does not speak TLS"],
]);

/** The server has ended the handshake over what we show, which it may say after we count it as done (TLS 1.3). */
const REFUSED_US = /^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/;

/** Why TLS could not be agreed on, as the end of a sentence; undefined for an error of another kind. */
export function tlsFault(error: NodeJS.ErrnoException | undefined): string | undefined {
  const code = codeOf(error);
  const known = UNTRUSTED.get(code);
  if (known !== undefined) return known;
  if (REFUSED_US.test(code)) return "it refuses the certificate that it is shown, or wants one";
  if (!/^ERR_(SSL|TLS)_/.test(code)) return undefined;
  return `TLS could not be agreed on (${code.slice(8).toLowerCase().replaceAll("_", " ")})`;
}

/** The same for a connection that had been made: what broke it was the server's word on our certificate. */
export function refusedUs(error: NodeJS.ErrnoException | undefined): boolean {
  return REFUSED_US.test(codeOf(error));
}

/** Node's own code for it; where a write was waiting, Node has put OpenSSL's words into the message instead. */
function codeOf({ code = "", message = "" }: Partial<NodeJS.ErrnoException> = {}): string {
  const reason = code === "EPROTO" ? /SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] : undefined;
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}`;
}
