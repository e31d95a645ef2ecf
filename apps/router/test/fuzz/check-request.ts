import { METHODS } from "node:http";
import { type Field, joined, requestFields } from "../../src/core/forwarding.ts";
import { cutAt, everyByte } from "./cut.ts";
import { checkTrailers, differ, mustEqual, without } from "./differ.ts";
import { nodeReadsRequest, only, type Parsed } from "./node-parser.ts";
import { type Forwarded, type RequestRun, runRequests } from "./request-run.ts";
import { ID, type Wire } from "./wire.ts";

/**
 * Whatever `wire` takes from a client and sends on, Node takes, and understands alike before and behind it; and it does
 * not depend on how the bytes were cut.
 * @returns whether a request was sent on
 * @throws Error with what differs
 */
export async function checkRequest(wire: Wire, bytes: Buffer, places: readonly number[]): Promise<boolean> {
  const whole = await runRequests(wire, bytes, [bytes.length], true);
  const late = places.length % 2 === 0;
  same("in pieces", await runRequests(wire, bytes, cutAt(bytes.length, places), late), whole);
  const [first] = whole.forwarded;
  if (first === undefined && places.length % 4 !== 0) return false; // bytes one by one take the longest
  const single = await runRequests(wire, bytes, everyByte(bytes.length), false);
  same("in single bytes", single, whole);
  if (first === undefined) return false;
  checkMeaning(first, bytes.subarray(0, single.firstAfter));
  return true;
}

function same(how: string, run: RequestRun, whole: RequestRun): void {
  const meaning = ({ head, body, trailer }: Forwarded) => [head, body, trailer];
  mustEqual(`the end, ${how} and whole,`, run.end, whole.end);
  mustEqual(`what is sent on, ${how} and whole,`, run.forwarded.map(meaning), whole.forwarded.map(meaning));
}

function checkMeaning(forwarded: Forwarded, bytes: Buffer): void {
  const [method, known] = asKnownMethod(bytes);
  const taken = only(nodeReadsRequest(known), "what the client sent");
  if (!forwarded.head.startsWith(`${method} `)) differ("method", forwarded.head, method);
  const switching = forwarded.head.includes("\r\nUpgrade: ");
  const sent = Buffer.from(switching ? forwarded.head : forwarded.bytes, "latin1");
  const got = only(nodeReadsRequest(asKnownMethod(sent)[1]), "what the upstream gets");
  const { path, host } = targetOf(taken);
  mustEqual("target", got.target, path);
  const requestId = idOf(taken.fields);
  const by = { peer: "127.0.0.1", trusted: false, host, scheme: "http", requestId } as const;
  const expected = requestFields(taken.fields, { ...by, httpVersion: taken.httpVersion });
  if (host === "") expected[0] = ["Host", "upstream:1"];
  mustEqual("fields", without(got.fields, FRAMING), without(expected, FRAMING));
  mustEqual("body", got.body, taken.body);
  checkFraming(taken, got);
  checkTrailers(got.trailers, taken.trailers);
}

const FRAMING = /^(?:content-length|transfer-encoding|connection|upgrade|te|trailer)$/;

function checkFraming(taken: Parsed, got: Parsed): void {
  const coding = joined(got.fields, "transfer-encoding");
  const length = joined(got.fields, "content-length");
  if (joined(taken.fields, "transfer-encoding") !== undefined) {
    if (coding !== "chunked" || length !== undefined) differ("framing", { coding, length }, "chunked");
    return;
  }
  const right = length === undefined ? got.body === "" : Number(length) === got.body.length;
  if (coding !== undefined || !right) differ("framing", { coding, length }, got.body.length);
}

/** Node knows a list of methods only: another one is replaced by one that it knows. */
function asKnownMethod(bytes: Buffer): [method: string, bytes: Buffer] {
  const text = bytes.toString("latin1");
  const [, before, method] = /^((?:\r\n)*)([^ ]*)/.exec(text)!;
  if (METHODS.includes(method!)) return [method!, bytes];
  const rest = text.slice(before!.length + method!.length);
  return [method!, Buffer.from(`POST${rest}`, "latin1")];
}

/** A host is only missing in HTTP/1.0; the target's own authority stands in. */
function targetOf({ target: asked, fields }: Parsed): { path: string; host: string } {
  const host = joined(fields, "host") ?? "";
  const absolute = /^https?:\/\/([^/?]*)(\??.*)$/i.exec(asked);
  if (absolute === null) return { path: asked, host };
  const rest = absolute[2]!;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host: absolute[1]! };
}

function idOf(fields: readonly Field[]): string {
  const told = joined(fields, "x-request-id");
  return told !== undefined && /^[\w.~:+/=-]{1,128}$/.test(told) ? told : ID;
}
