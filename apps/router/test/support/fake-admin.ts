import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { closing } from "./open.ts";

export interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it stands; anything else as JSON. */
  readonly body: unknown;
  /** Whether the connection is cut after that. */
  readonly isCut?: boolean;
}

interface Seen {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

interface FakeAdmin {
  readonly url: string;
  readonly seen: Seen[];
  close(): Promise<void>;
}

const open = closing();

/** Plays a router's admin API: answers by `METHOD /path`, everything else is a 404 problem. Closed after the test. */
export async function admin(answers: Readonly<Record<string, Answer>>): Promise<FakeAdmin> {
  return open(await startFakeAdmin(answers));
}

/** The answer of a refused call. */
export const problem = (status: number, detail: string): Answer => ({
  status,
  type: "application/problem+json",
  body: { type: "about:blank", title: "No", status, detail },
});

async function startFakeAdmin(answers: Readonly<Record<string, Answer>>): Promise<FakeAdmin> {
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
    const {
      status = 200,
      type = "application/json",
      headers = {},
      body,
      isCut = false,
    } = answers[`${request.method} ${path.split("?")[0]}`] ?? problem(404, `There is no ${path}.`);
    response.writeHead(status, { "Content-Type": type, ...headers });
    response.write(typeof body === "string" ? body : JSON.stringify(body));
    if (isCut) setImmediate(() => response.destroy());
    else response.end();
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
