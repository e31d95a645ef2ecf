import { isEventStream } from "../event-stream.ts";
import type { Head } from "./head.ts";
import { type AnswerFraming, BODY } from "./response-head.ts";

/** Whether an answer is a stream of events that can be ended early. One that says its length cannot. */
export function streamsEvents(head: Head, { kind }: AnswerFraming): boolean {
  if (kind !== BODY.chunked && kind !== BODY.untilClose) return false;
  return head.status === 200 && isEventStream(head.valueOf("content-type"));
}
