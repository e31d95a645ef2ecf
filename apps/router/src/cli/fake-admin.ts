import { spawn } from "node:child_process";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

/** For tests: a server that plays a router's admin API, and the real command to talk to it. */

export interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it stands; anything else as JSON. */
  readonly body: unknown;
}

export interface Seen {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface FakeAdmin {
  readonly url: string;
  readonly seen: Seen[];
  close(): Promise<void>;
}

/** Answers by `METHOD /path`; everything else is a 404 problem. */
export async function startFakeAdmin(answers: Readonly<Record<string, Answer>>): Promise<FakeAdmin> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const path = request.url ?? "";
    seen.push({
      call: `${request.method} ${path}`,
      headers: request.headers,
      body: text && JSON.parse(text),
    });
    const none: Answer = {
      status: 404,
      type: "application/problem+json",
      body: { detail: `There is no ${path}.` },
    };
    const {
      status = 200,
      type = "application/json",
      headers = {},
      body,
    } = answers[`${request.method} ${path.split("?")[0]}`] ?? none;
    response.writeHead(status, { "Content-Type": type, ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen, close: () => close(server) };
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const BIN = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** Runs the real command in a process of its own. */
export async function sluice(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const { SLUICE_ADMIN: _, SLUICE_ADMIN_TOKEN: __, FORCE_COLOR: ___, ...rest } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}
