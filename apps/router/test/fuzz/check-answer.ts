import { type Field, joined, responseFields } from "../../src/core/forwarding.ts";
import { type AnswerRun, type Asked, runAnswer } from "./answer-run.ts";
import { cutAt, everyByte } from "./cut.ts";
import { checkTrailers, differ, mustEqual, without } from "./differ.ts";
import { nodeReadsAnswer, only, type Parsed, type Reading } from "./node-parser.ts";
import type { Wire } from "./wire.ts";

/**
 * Whatever `wire` takes from an upstream and relays, Node takes, and understands alike before and behind it; and it does
 * not depend on how the bytes were cut.
 * @returns whether an answer was relayed
 * @throws Error with what differs
 */
export async function checkAnswer(
  wire: Wire,
  bytes: Buffer,
  places: readonly number[],
  asked: Asked,
): Promise<boolean> {
  const whole = runAnswer(wire, bytes, [bytes.length], asked);
  same("in pieces", runAnswer(wire, bytes, cutAt(bytes.length, places), asked), whole);
  const relayed = whole.end === "relayed";
  if (!relayed && places.length % 4 !== 0) return false; // bytes one by one take the longest
  const single = runAnswer(wire, bytes, everyByte(bytes.length), asked);
  same("in single bytes", single, whole);
  if (!relayed) return false;
  await checkMeaning(whole, bytes.subarray(0, single.wholeAfter), asked);
  return true;
}

const SEEN = ["end", "interim", "head", "body", "trailer"] as const;

function same(how: string, run: AnswerRun, whole: AnswerRun): void {
  for (const key of SEEN) mustEqual(`${key}, ${how} and whole,`, run[key], whole[key]);
}

async function checkMeaning(run: AnswerRun, bytes: Buffer, asked: Asked): Promise<void> {
  const { method, old, upgrade, ends } = asked;
  const before = await nodeReadsAnswer(bytes, { method, ends, upgrade });
  const taken = only(before, "what the upstream sent");
  const switched = taken.status === 101;
  const sent = Buffer.from(run.interim.join("") + (switched ? run.head : run.bytes), "latin1");
  const after = await nodeReadsAnswer(sent, { method, ends: old, upgrade });
  const got = only(after, "what the client gets");
  mustEqual("status line", [got.status, got.reason], [taken.status, taken.reason]);
  checkFields(got, taken);
  if (switched) return;
  mustEqual("body", got.body, taken.body);
  if (!old) checkTrailers(got.trailers, taken.trailers);
  checkInterim(run, after, old ? [] : before.interim);
}

const OWN = /^(?:x-request-id|x-sluice-color|transfer-encoding|connection|upgrade|trailer)$/;

function checkFields(got: Parsed, taken: Parsed): void {
  const dated = joined(taken.fields, "date") !== undefined;
  const names = dated ? OWN : new RegExp(`${OWN.source}|^date$`);
  const switched = taken.status === 101; // without a body, like a 204
  const all = responseFields(taken.fields, switched ? { ...taken, status: 204 } : taken);
  const expected = switched ? without(all, /^via$/) : all;
  mustEqual("fields", tidy(without(got.fields, names)), tidy(without(expected, names)));
}

/** Empty elements of a list say nothing (RFC 9110 section 5.6.1); who appends to `Via` may drop them. */
function tidy(fields: readonly Field[]): Field[] {
  return fields.map(([name, value]) => [
    name,
    name === "Via" ? value.replace(/(^|, )(?:, )+/g, "$1") : value,
  ]);
}

function checkInterim({ interim }: AnswerRun, after: Reading, before: Reading["interim"]): void {
  const meaning = (each: Reading["interim"][number]) => {
    const kept = responseFields(each.fields, { httpVersion: "1.1", status: 204 });
    return [each.status, each.reason, without(kept, /^(?:via|trailer)$/)];
  };
  mustEqual("interim answers", after.interim.map(meaning), before.map(meaning));
  const framed = interim.find((head) => /\r\n(?:content-length|transfer-encoding):/i.test(head));
  if (framed !== undefined) differ("an interim answer's framing", framed, "none");
}
