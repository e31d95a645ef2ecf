import type { Http2ServerRequest } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** Milliseconds that a timer can hold; a client that waits longer than these 24 days waits without a deadline. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Milliseconds for a call's message to come, as for REST, and for its answer to move on. */
const CALL_TIMEOUT = 60_000;

/**
 * A request's body that ends with an error when its time is over. The library looks at deadlines, and at the end of the
 * server, only once a message is there, so one that does not come is given up here. A stream of messages may take as long
 * as it likes, until `ending`.
 */
export function limitTime(
  { headers, stream }: Http2ServerRequest,
  { methodKind }: DescMethod,
  body: AsyncIterable<Uint8Array>,
  ending: AbortSignal,
): AsyncIterable<Uint8Array> {
  const deadline = milliseconds(headers["grpc-timeout"]) ?? CALL_TIMEOUT;
  if (deadline > LONGEST_TIMER) delete headers["grpc-timeout"];
  const { promise: over, reject } = Promise.withResolvers<never>();
  over.catch(() => undefined);
  if (methodKind === "unary") {
    // For a client that does not read its answer.
    stream.setTimeout(CALL_TIMEOUT, () => stream.close());
    const late = () => reject(new ConnectError("The message did not come in time.", Code.DeadlineExceeded));
    const timer = setTimeout(late, Math.min(deadline, CALL_TIMEOUT));
    stream.once("close", () => clearTimeout(timer));
  } else {
    const end = () => reject(ending.reason);
    if (ending.aborted) end();
    ending.addEventListener("abort", end);
    stream.once("close", () => ending.removeEventListener("abort", end));
  }
  return until(body, over);
}

/** The items as they come, until `over` rejects; then its error. */
async function* until<T>(items: AsyncIterable<T>, over: Promise<never>): AsyncIterable<T> {
  const iterator = items[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await Promise.race([iterator.next(), over]);
    if (done) return;
    yield value;
  }
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** A `grpc-timeout`; undefined for what is none. */
function milliseconds(value: string | string[] | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(value)) ?? [];
  return digits && unit ? Number(digits) * UNITS[unit]! : undefined;
}
