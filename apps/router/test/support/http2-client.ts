import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";

/** What came back on a stream, however it ended. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  /** Name and value in turn, as they came. */
  readonly raw: readonly string[];
  readonly body: string;
  readonly trailers: Record<string, string | string[] | undefined>;
  readonly interim: readonly number[];
  /** Code by which the stream was reset, 0 where it ended well. */
  readonly code: number;
}

export interface TestHttp2Client {
  readonly session: ClientHttp2Session;
  /** A request with its whole body at once. */
  send(
    headers: OutgoingHttpHeaders,
    body?: string | Buffer,
    trailers?: Record<string, string>,
  ): Promise<Http2Answer>;
  /** A request whose stream is the test's. */
  open(headers: OutgoingHttpHeaders): ClientHttp2Stream;
  close(): void;
}

/** A client of one HTTP/2 connection with prior knowledge. */
export function http2Client(url: string, options: object = {}): TestHttp2Client {
  const session = connect(url, options);
  session.on("error", () => {});
  const open = (headers: OutgoingHttpHeaders) => {
    const stream = session.request({ ":path": "/", ...headers }, { endStream: false, waitForTrailers: true });
    stream.on("error", () => {});
    return stream;
  };
  return {
    session,
    open,
    send(headers, body, trailers) {
      const ended = body === undefined;
      const stream = session.request(
        { ":path": "/", ...headers },
        { endStream: ended, waitForTrailers: !ended },
      );
      stream.on("error", () => {});
      stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
      if (!ended) stream.end(body);
      return answerOf(stream);
    },
    close: () => session.destroy(),
  };
}

/** Reads a stream to its end. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const interim: number[] = [];
  const chunks: Buffer[] = [];
  let head: { headers: Http2Answer["headers"]; raw: readonly string[] } = { headers: {}, raw: [] };
  let trailers: Http2Answer["trailers"] = {};
  stream.on("headers", (headers) => interim.push(Number(headers[":status"])));
  stream.on("response", (headers, _flags, raw) => {
    head = { headers: headers as Http2Answer["headers"], raw };
  });
  stream.on("trailers", (headers) => {
    trailers = headers as Http2Answer["trailers"];
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    stream.on("close", () =>
      resolve({
        status: Number(head.headers[":status"] ?? 0),
        headers: head.headers,
        raw: head.raw,
        body: Buffer.concat(chunks).toString("latin1"),
        trailers,
        interim,
        code: stream.rstCode ?? 0,
      }),
    );
  });
}
