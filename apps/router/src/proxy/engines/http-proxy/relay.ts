import type { IncomingMessage, ServerResponse } from "node:http";
import { answeredWith, type Outcome } from "../../../core/outcome.ts";

import { reset } from "../../tls/reset.ts";

import type { StreamedEvents } from "../streamed-events.ts";

export interface RelayOptions {
  /** How long either side may be silent, in milliseconds; with `events` the target may be so for ever. */
  readonly idle: number;
  /** Told each chunk. */
  readonly written: (chunk: Buffer) => void;
  /** The answer is a stream of events. */
  readonly events?: StreamedEvents | undefined;
}

/**
 * Passes an answer's body on, as fast as the slower side allows. The head has been written.
 * @returns how it ended. Where that is not as answered, the client's message is incomplete and the caller cuts it.
 */
export function relay(
  response: IncomingMessage,
  out: ServerResponse,
  { idle, written, events }: RelayOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const answered = answeredWith(response.statusCode!);
    let clientIsSlow = false;
    const timer = setTimeout(() => {
      if (clientIsSlow) end("client_abort");
      else if (events === undefined) end("stream_timeout");
      else timer.refresh();
    }, idle);

    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      events?.stop();
      out.off("close", closed);
      out.off("drain", drained);
      response.off("data", pass);
      resolve(outcome);
    };
    const closed = () => end(out.writableFinished ? answered : "client_abort");
    const drained = () => {
      clientIsSlow = false;
      timer.refresh();
      response.resume();
    };
    const pass = (chunk: Buffer) => {
      timer.refresh();
      written(chunk);
      if (!out.write(events === undefined ? chunk : events.pass(chunk))) {
        clientIsSlow = true;
        response.pause();
      }
      events?.settle();
    };
    const ended = () => {
      if (!response.complete) return end("truncated");
      finish();
    };
    const finish = () => {
      clientIsSlow = true;
      timer.refresh();
      out.end(() => end(answered));
    };

    if (events !== undefined) {
      events.onOver = () => {
        response.off("data", pass);
        finish();
      };
    }
    out.on("close", closed);
    out.on("drain", drained);
    response.on("data", pass);
    response.once("end", ended);
    response.once("error", () => end("truncated"));
    response.once("aborted", () => end("truncated"));
  });
}

/**
 * Cuts the client's connection so that it cannot take the message for whole. A body that lasts until the connection's
 * end needs a reset to tell; the others miss bytes, and a plain close lets those through that were sent.
 */
export function cut(out: ServerResponse): void {
  const { socket } = out;
  const untilClose = !out.chunkedEncoding && !/\r\ncontent-length:/i.test(headOf(out));
  if (untilClose && socket) reset(socket);
  else out.destroy();
}

function headOf(out: ServerResponse): string {
  return (out as ServerResponse & { _header: string | null })._header ?? "";
}
