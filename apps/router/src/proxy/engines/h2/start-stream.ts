import type { ServerHttp2Stream } from "node:http2";
import { grpcOfRefusal } from "../../../core/grpc.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { isRefusal } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { ClosedGate } from "../../gate.ts";
import { type Problem, refusalFields } from "../problem.ts";
import { endsWhole } from "./ends-whole.ts";
import { admitHttp2, factsOfHead, type Http2Head, readHead } from "./request-head.ts";
import { StreamAnswer } from "./stream-answer.ts";
import { StreamExchange } from "./stream-exchange.ts";
import type { Ways } from "./ways.ts";

/** What a stream has brought when it begins. */
export interface Begun {
  readonly raw: readonly string[];
  /** The client has ended it, too. */
  readonly ended: boolean;
  readonly peer: string;
}

/** Refuses a stream's request, or begins its exchange, behind the gate where that is closed. */
export function startStream(plane: DataPlane, ways: Ways, stream: ServerHttp2Stream, begun: Begun): void {
  const head = readHead(begun.raw, begun.ended);
  const admitted = admitHttp2(head, plane.config.limits);
  const facts = factsOfHead(head, isRefusal(admitted) ? head.target : admitted.path, begun.peer);
  if (isRefusal(admitted)) return refuse(plane, stream, head, facts, admitted);
  const begin = () => new StreamExchange(ways, plane.begin(facts), plane, stream, head, admitted).run();
  const { gate } = plane;
  if (gate === undefined) return begin();
  const refused = (problem: Problem, waited: number) => refuse(plane, stream, head, facts, problem, waited);
  hold(gate, stream, facts, { begin, refused });
}

/** What becomes of a stream that waits. */
interface AfterWait {
  begin(): void;
  refused(problem: Problem, waited: number): void;
}

/** Has a stream wait, and keeps what it says meanwhile of its end. */
function hold(gate: ClosedGate, stream: ServerHttp2Stream, facts: RequestFacts, after: AfterWait): void {
  let trailers: readonly unknown[] | undefined;
  const note = (...all: unknown[]) => {
    trailers = all;
  };
  const over = () => {
    stream.off("close", leave);
    stream.off("trailers", note);
  };
  const ticket = gate.enter(facts, {
    onAdmitted() {
      over();
      after.begin();
      if (trailers !== undefined) stream.emit("trailers", ...trailers);
    },
    onRefused(problem, waited) {
      over();
      after.refused(problem, waited);
    },
  });
  const leave = () => ticket?.leave();
  if (ticket === undefined) return after.begin();
  endsWhole(stream);
  stream.once("close", leave);
  stream.once("trailers", note);
}

function refuse(
  plane: DataPlane,
  stream: ServerHttp2Stream,
  head: Http2Head,
  facts: RequestFacts,
  problem: Problem,
  duration = 0,
): void {
  const id = plane.idOf(facts);
  const answer = new StreamAnswer(stream, head.isGrpc, head.method === "HEAD");
  const grpc = grpcOfRefusal(problem.status);
  answer.problem(problem, grpc, refusalFields(plane, id), id);
  stream.resume();
  const status = head.isGrpc ? 200 : problem.status;
  plane.refused(facts, { id, status, bytes: answer.bytes, duration, grpc: head.isGrpc ? grpc : undefined });
}
