import type { ServerHttp2Stream } from "node:http2";
import { grpcOfRefusal } from "../../../core/grpc.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { isRefusal } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import { type Problem, refusalFields } from "../problem.ts";
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
  const ticket = plane.gate?.enter(facts, {
    onAdmitted() {
      stream.off("close", leave);
      begin();
    },
    onRefused(problem, waited) {
      stream.off("close", leave);
      refuse(plane, stream, head, facts, problem, waited);
    },
  });
  const leave = () => ticket?.leave();
  if (ticket === undefined) return begin();
  stream.once("close", leave);
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
