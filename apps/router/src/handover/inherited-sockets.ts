import { closeSync } from "node:fs";
import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/config.ts";
import { agrees, disagreement } from "./agrees.ts";
import { describeSocket } from "./describe-socket.ts";
import type { SocketKey, Sockets } from "./messages.ts";

/** The listening sockets that this process was started with. */
export class InheritedSockets {
  readonly #sockets: Sockets;
  readonly #taken = new Set<SocketKey>();

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  /**
   * The descriptor for an option; undefined where none fits, so that the address has to be opened.
   * @throws StartError a supervisor's socket has another address
   */
  take(key: SocketKey, address: Address): number | undefined {
    const socket = this.#sockets[key];
    if (socket === undefined) return undefined;
    if (socket.supervised) {
      const actual = describeSocket(socket.fd);
      if (actual && !agrees(address, actual)) throw disagreement(key, address, actual);
    } else if (socket.configured !== formatAddress(address)) return undefined;
    this.#taken.add(key);
    return socket.fd;
  }

  isSupervised(key: SocketKey): boolean {
    return this.#sockets[key]?.supervised ?? false;
  }

  /** Closes what nobody has taken. */
  dropRest(): void {
    for (const [key, { fd }] of Object.entries(this.#sockets)) {
      if (!this.#taken.has(key as SocketKey)) closeSync(fd);
    }
  }
}
