import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { Http2Side } from "./http2.ts";
import type { DrainOptions } from "./options.ts";
import type { Traffic } from "./traffic.ts";

/** How it ended: every request answered, or some cut at the deadline. */
export type Ending = "drained" | "cut";

/**
 * Ends a server without losing a request, behind a balancer that finds out late:
 *
 * 1. From the first moment every answer says `Connection: close`, or GOAWAY over HTTP/2, so that pooled connections end with an answer and
 *    never under a request; new connections are still taken, because a closing listener resets those that wait in its
 *    queue. This lasts until no request came for `quiet`, at most `delay`.
 * 2. The listener closes. Connections that were idle stay open until they too were quiet for `quiet`.
 * 3. At `timeout`, counted from the beginning, what is still there is cut.
 *
 * Readiness must already fail. To be called once.
 */
export async function shutDown(
  server: Server,
  traffic: Traffic,
  drain: DrainOptions,
  http2?: Http2Side,
): Promise<Ending> {
  const begin = performance.now();
  let ending: Ending = "drained";
  const deadline = setTimeout(() => {
    ending = "cut";
    server.closeAllConnections();
    http2?.destroy();
  }, drain.timeout);
  traffic.closeWithAnswers();
  http2?.announceEnd();
  await traffic.silence(drain.quiet, begin + drain.delay);
  const closed = stopListening(server);
  http2?.announceEnd();
  await traffic.silence(drain.quiet, begin + drain.timeout);
  server.closeIdleConnections();
  http2?.close();
  traffic.closeUnused();
  await closed;
  clearTimeout(deadline);
  return ending;
}

/** As `server.close()`, which since Node 19 also closes idle connections: here they may still bring a request. */
function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}
