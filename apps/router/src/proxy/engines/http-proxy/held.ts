import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { RequestFacts } from "../../../core/request-facts.ts";
import type { ClosedGate } from "../../gate.ts";
import type { Problem } from "../problem.ts";

/** What becomes of a request that waits at the gate. */
export interface Ways {
  begin(): void;
  /** @param waited milliseconds */
  refuse(problem: Problem, waited: number): void;
}

/** Has a request wait for its turn. What it still sends stays in Node's buffers, and then in the client's. */
export function holdRequest(gate: ClosedGate, facts: RequestFacts, out: ServerResponse, ways: Ways): void {
  const left = () => ticket?.leave();
  const ticket = gate.enter(facts, {
    onAdmitted: () => {
      out.off("close", left);
      ways.begin();
    },
    onRefused: (problem, waited) => {
      out.off("close", left);
      ways.refuse(problem, waited);
    },
  });
  if (ticket === undefined) ways.begin();
  else out.once("close", left);
}

/** Bytes that a client may send ahead of the answer to its upgrade. */
const MOST_AHEAD = 64 * 1024;

/** The same for a client that asks for a tunnel. `begin` gets what it has sent ahead. */
export function holdUpgrade(
  gate: ClosedGate,
  facts: RequestFacts,
  socket: Socket,
  head: Buffer,
  ways: { begin(head: Buffer): void; refuse: Ways["refuse"] },
): void {
  const ahead = [head];
  let bytes = head.length;
  const take = (chunk: Buffer) => {
    ahead.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_AHEAD) socket.pause();
  };
  const left = () => {
    ticket?.leave();
    over();
    socket.destroy();
  };
  const over = () => {
    socket.off("data", take);
    socket.off("end", left);
    socket.off("close", left);
    socket.pause();
  };
  const ticket = gate.enter(facts, {
    onAdmitted: () => {
      over();
      ways.begin(Buffer.concat(ahead));
    },
    onRefused: (problem, waited) => {
      over();
      ways.refuse(problem, waited);
    },
  });
  if (ticket === undefined) return ways.begin(head);
  socket.on("data", take); // an end that nobody reads for is not noticed
  socket.once("end", left);
  socket.once("close", left);
}
