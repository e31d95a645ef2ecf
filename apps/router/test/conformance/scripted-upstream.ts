import type { Socket } from "node:net";
import { rawUpstream } from "../support/upstream.ts";
import type { Script } from "./case.ts";

export const PLAIN = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** The request that shows that a client's connection still works; it is not counted. */
export const PROBE_PATH = "/probe-of-the-suite";
const PROBE = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nPROBE-OK";

export interface ScriptedUpstream {
  readonly url: string;
  /** Requests that began to arrive, without probes. */
  readonly hits: number;
  /** All bytes that arrived, in latin1, without those of probes. */
  readonly received: string;
  /** A connection ended in the middle of a request. */
  readonly aborted: boolean;
  close(): Promise<void>;
}

/** A server that reads requests byte by byte, answers from its script, and remembers what it saw. */
export async function scriptedUpstream(script: Script): Promise<ScriptedUpstream> {
  const answers = script.answers ?? [PLAIN];
  const seen = { hits: 0, received: "", aborted: false };
  const raw = await rawUpstream((socket) => {
    let pending = "";
    let begun = false;
    let answered = false;
    const answer = (isProbe: boolean) => {
      if (isProbe) socket.write(PROBE);
      else send(socket, answers[Math.min(seen.hits, answers.length) - 1]!, script.ending);
    };
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      for (;;) {
        const head = pending.indexOf("\r\n\r\n");
        const isProbe = pending.includes(PROBE_PATH);
        if (!isProbe && !begun && pending !== "") {
          begun = true;
          seen.hits++;
        }
        if (script.early && head >= 0 && !isProbe && !answered) {
          answered = true;
          answer(false);
        }
        const size = requestSize(pending);
        if (size < 0) return;
        if (!isProbe) seen.received += pending.slice(0, size);
        pending = pending.slice(size);
        begun = false;
        answered = false;
        if (!script.early || isProbe) answer(isProbe);
        if (pending === "") return;
      }
    });
    socket.on("close", () => {
      if (pending === "") return;
      seen.received += pending;
      seen.aborted = true;
    });
  });
  return {
    url: raw.url,
    get hits() {
      return seen.hits;
    },
    get received() {
      return seen.received;
    },
    get aborted() {
      return seen.aborted;
    },
    close: raw.close,
  };
}

function send(socket: Socket, bytes: string, ending: Script["ending"]): void {
  socket.write(Buffer.from(bytes, "latin1"), () => {
    if (ending === "end") socket.end();
    if (ending === "reset") socket.resetAndDestroy();
  });
}

/** Bytes of the first whole request, or -1. */
function requestSize(bytes: string): number {
  const end = bytes.indexOf("\r\n\r\n") + 4;
  if (end < 4) return -1;
  const head = bytes.slice(0, end);
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head);
  if (/\r\ntransfer-encoding:/i.test(head)) {
    const last = /(?:^|\r\n)0[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(bytes.slice(end));
    return last ? end + last.index + last[0].length : -1;
  }
  const size = end + Number(length?.[1] ?? 0);
  return bytes.length >= size ? size : -1;
}
