import { createServer } from "node:net";
import type { Address } from "../../config/config.ts";
import { CliError } from "../errors.ts";

interface Wanter {
  readonly name: string;
  readonly option: string;
}

/** What the system chose: what it gave a moment ago it may give again, as long as nothing listens there. */
const chosen = new Set<number>();

/**
 * Finds out that an address is free, before anything is started, and which port it is where the system may choose: none twice.
 * @param wanter who wants it, and the option that moves it, for the sentence when it is taken
 * @throws CliError
 */
export async function freePort(address: Address, wanter: Wanter): Promise<number> {
  for (;;) {
    const port = await claim(address, wanter);
    if (address.port !== 0 || !chosen.has(port)) {
      chosen.add(port);
      return port;
    }
  }
}

function claim({ host, port }: Address, wanter: Wanter): Promise<number> {
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
  { name, option }: Wanter,
): string {
  if (code === "EADDRINUSE") {
    return `port ${port} is in use, and ${name} wanted it. Stop what listens there, or choose another with ${option}.`;
  }
  if (code === "EACCES")
    return `port ${port}, which ${name} wanted, is not for this user. Choose another with ${option}.`;
  return `${name} cannot listen on ${host} port ${port} (${code}).`;
}
