import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { problemBody } from "@sluice/api-docs";
import { dropRest, type Http2Listener } from "./http2.ts";

/**
 * Gives a request of HTTP/2 as long to come in whole as HTTP/1.1's server gives it: then it is answered 408, or its stream
 * is closed if it was answered before. Node has no such timer for HTTP/2.
 * @param headers go on the answers that the app never sees
 * @param timeout milliseconds
 */
export function limitBodyTime(
  listener: Http2Listener,
  headers: Readonly<Record<string, string>>,
  timeout: number,
): Http2Listener {
  return (request, response) => {
    if (!request.stream.endAfterHeaders) {
      const timer = setTimeout(() => giveUp(request, response, headers), timeout);
      const done = () => clearTimeout(timer);
      request.stream.once("end", done).once("close", done);
    }
    listener(request, response);
  };
}

function giveUp(
  { stream }: Http2ServerRequest,
  response: Http2ServerResponse,
  headers: Readonly<Record<string, string>>,
): void {
  if (stream.destroyed) return;
  if (response.headersSent) return stream.close();
  // Through the response, so that the app sees that an answer was given.
  stream.once("finish", () => dropRest(stream));
  response.writeHead(408, { "content-type": "application/problem+json", ...headers });
  response.end(problemBody({ status: 408, detail: "The request's body did not come in time." }));
}
