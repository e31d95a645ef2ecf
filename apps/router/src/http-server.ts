import { Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { formatAddress } from "./config/address.ts";
import type { Address } from "./config/config.ts";
import { StartError } from "./control/start-error.ts";
import { listeningFd } from "./listening-fd.ts";
import type { AdminMaterial } from "./tls/keeper.ts";

// biome-ignore lint/suspicious/noExplicitAny: apps differ in what their contexts carry, and it does not matter here
type App = Hono<any>;

/** One of the control plane's ports. */
export class AppServer {
  readonly #server: Server | SecureServer;
  readonly #pending = new Set<ServerResponse>();
  #leaving = false;

  /**
   * @param app what answers, or a server of its own
   * @param tls what it shows to clients; undefined: plain HTTP
   */
  constructor(app: App | Server, tls?: AdminMaterial) {
    this.#server = app instanceof Server ? app : serverFor(app, tls);
    this.#server.prependListener("request", (_request, response) => {
      this.#pending.add(response);
      response.once("close", () => this.#pending.delete(response));
      if (this.#leaving) response.shouldKeepAlive = false;
    });
  }

  /**
   * @param key which option names the address
   * @param fd a listening socket that this process has already
   * @throws StartError naming the key and the address that cannot be had
   */
  listen(key: string, address: Address, fd?: number): Promise<void> {
    const where = fd === undefined ? { host: address.host, port: address.port } : { fd };
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => reject(cannotListen(key, address, error)));
      this.#server.listen(where, resolve);
    });
  }

  get address(): Address {
    const { address: host, port } = this.#server.address() as AddressInfo;
    return { host, port };
  }

  /** Shows another certificate from the next connection on. */
  secure(tls: AdminMaterial): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext(tls);
  }

  /** Descriptor of the listening socket. */
  get fd(): number | undefined {
    return listeningFd(this.#server);
  }

  /** From now on, or no longer, every connection ends with its next answer. */
  leave(leaving: boolean): void {
    this.#leaving = leaving;
    if (leaving) for (const response of this.#pending) response.shouldKeepAlive = false;
  }

  /** Stops listening, answers what was asked, and ends; after `deadline` milliseconds at once. */
  finish(deadline: number): Promise<void> {
    this.leave(true);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const late = setTimeout(() => this.#server.closeAllConnections(), deadline);
    return closed.finally(() => clearTimeout(late));
  }

  /** Ends at once: clients can ask again. */
  close(): Promise<void> {
    return this.finish(0);
  }
}

function serverFor(app: App, tls: AdminMaterial | undefined): Server | SecureServer {
  if (!tls) return createAdaptorServer({ fetch: app.fetch }) as Server;
  const options = { fetch: app.fetch, createServer: createSecureServer, serverOptions: tls };
  return createAdaptorServer(options) as SecureServer;
}

/** Why an address cannot be listened on, in one sentence. */
export function cannotListen(key: string, address: Address, error: NodeJS.ErrnoException): StartError {
  const where = formatAddress(address);
  const cause = { cause: error };
  if (error.code === "EADDRINUSE") {
    return new StartError(
      `${key}: ${where} is in use by another process; choose another address or stop it.`,
      cause,
    );
  }
  if (error.code === "EACCES") {
    return new StartError(`${key}: this user may not listen on ${where}; choose a port above 1023.`, cause);
  }
  return new StartError(`${key}: cannot listen on ${where} (${error.code ?? error.message}).`, cause);
}
