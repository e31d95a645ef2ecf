import { createServer } from "node:net";
import type { Address } from "../../config/config.ts";
import { CliError } from "../errors.ts";

/**
 * Finds out that an address is free, before anything is started, and which port it is where the system may choose.
 * @param wanter who wants it and which option moves it, for the sentence when it is taken
 * @throws CliError
 */
export function freePort({ host, port }: Address, wanter: { name: string; option: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new CliError(whyNot(error, host, port, wanter))),
    );
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : port));
    });
  });
}

function whyNot(
  { code }: NodeJS.ErrnoException,
  host: string,
  port: number,
  { name, option }: { name: string; option: string },
): string {
  if (code === "EADDRINUSE") {
    return `port ${port} is in use, and ${name} wanted it. Stop what listens there, or choose another with ${option}.`;
  }
  if (code === "EACCES")
    return `port ${port}, which ${name} wanted, is not for this user. Choose another with ${option}.`;
  return `${name} cannot listen on ${host} port ${port} (${code}).`;
}
