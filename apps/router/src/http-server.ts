import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { formatAddress } from "./config/address.ts";
import type { Address } from "./config/config.ts";
import { StartError } from "./control/start-error.ts";

/** Serves an app of the control plane. @throws StartError naming the key and the address that cannot be had */
export async function serveApp(
  // biome-ignore lint/suspicious/noExplicitAny: apps differ in what their contexts carry, and it does not matter here
  app: Hono<any>,
  key: string,
  address: Address,
): Promise<{ server: Server; address: Address }> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(key, address, error)));
    server.listen({ host: address.host, port: address.port }, resolve);
  });
  const { address: host, port } = server.address() as AddressInfo;
  return { server, address: { host, port } };
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

/** Ends a control-plane server at once: its clients can ask again, and event streams never end by themselves. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
