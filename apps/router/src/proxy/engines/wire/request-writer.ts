import type { Socket } from "node:net";
import type { Field } from "../../../core/forwarding.ts";
import { latin1 } from "./bytes.ts";
import type { AnyBody } from "./request-body.ts";
import type { RequestTraits } from "./traits.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** A body this small goes out in one write with its head, as text. */
const SMALL = 16 * 1024;

/** Writes a request's head, and what of its body has come. @param own fields of this attempt alone */
export function sendRequest(
  upstream: UpstreamConnection,
  traits: RequestTraits,
  own: readonly Field[],
  body: AnyBody,
): void {
  const { socket, target } = upstream;
  const { line, host, fields } = traits;
  const head = `${line}${host === "" ? target.authority : host}\r\n${own.length === 0 ? "" : fieldLines(own)}${fields}`;
  const { kept, complete, framing } = body;
  if (framing === "none") socket.write(head, "latin1");
  else if (framing === "length" && complete && kept.length === 1 && kept[0]!.length <= SMALL) {
    socket.write(head + latin1(kept[0]!, 0, kept[0]!.length), "latin1");
  } else {
    socket.cork();
    socket.write(head, "latin1");
    for (const piece of kept) writePiece(socket, framing === "chunked", piece);
    if (complete) writeBodyEnd(socket, body);
    socket.uncork();
  }
  if (complete) upstream.requestSent();
  body.sent();
}

function fieldLines(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** Writes a piece of a body; what came in chunks goes on in chunks of our own. */
export function writePiece(socket: Socket, chunked: boolean, piece: Buffer): void {
  if (!chunked) {
    socket.write(piece);
    return;
  }
  socket.cork();
  socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
  socket.write(piece);
  socket.write("\r\n", "latin1");
  socket.uncork();
}

/** The fields of a head that was written here, with its empty line. */
export function readFields(head: string): Field[] {
  const lines = head.slice(0, -4).split("\r\n");
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}

export function writeBodyEnd(socket: Socket, { framing, trailer }: AnyBody): void {
  if (framing === "chunked") socket.write(`0\r\n${trailer}`, "latin1");
}
