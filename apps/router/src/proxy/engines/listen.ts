import type { AddressInfo, Server } from "node:net";
import type { Address } from "../../config/config.ts";
import type { Listen } from "../engine.ts";

/** Connections that wait to be accepted. */
const BACKLOG = 1024;

/** Has a server listen. @returns the address in use; rejects when it cannot be had */
export function listenOn(server: Server, where: Listen): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off("error", reject);
      const { address: host, port } = server.address() as AddressInfo;
      resolve({ host, port });
    });
  });
}
