import { describe, expect, it } from "vitest";
import type { Asked } from "./answer-run.ts";
import { checkAnswer } from "./check-answer.ts";
import { checkRequest } from "./check-request.ts";
import { corpus } from "./corpus.ts";
import { escaped } from "./escape.ts";
import { CASES, type Check, fuzz, SEED, type Tally } from "./fuzz.ts";
import { Wire } from "./wire.ts";

const REQUESTS = Math.ceil(CASES * 0.6);
const ANSWERS = CASES - REQUESTS;
/** Two milliseconds for each case, which is several times what one takes. */
const TIMEOUT = 60_000 + CASES * 2;
const MIDDLE = [30_000, 7];

let wire = new Wire();
/** What a failed check leaves behind would make all others fail. */
const renew = (error: unknown) => {
  wire = new Wire();
  throw error;
};
const asked: Asked = { method: "GET", old: false, upgrade: false, ends: true };
const named = (messages: readonly Buffer[]) =>
  messages.map((bytes) => [escaped(bytes).slice(0, 100), bytes] as const);

describe("what fuzzing has found stays mended", () => {
  it.each(named(corpus("refused-requests")))("refuses %s", async (_name, bytes) => {
    expect(await checkRequest(wire, bytes, MIDDLE)).toBe(false);
  });

  it.each(named(corpus("refused-answers")))("refuses %s", async (_name, bytes) => {
    expect(await checkAnswer(wire, bytes, MIDDLE, asked)).toBe(false);
  });
});

describe("what mutation begins with is taken", () => {
  it.each(named(corpus("requests")))("takes %s", async (_name, bytes) => {
    expect(await checkRequest(wire, bytes, MIDDLE)).toBe(true);
  });

  it.each(named(corpus("answers")))("takes %s", async (_name, bytes) => {
    const upgrade = bytes.toString("latin1").includes(" 101 ");
    expect(await checkAnswer(wire, bytes, MIDDLE, { ...asked, upgrade })).toBe(true);
  });
});

it(
  "takes no request that Node would not, and understands it alike, however it is cut",
  async () => {
    const check: Check = (bytes, places) => checkRequest(wire, bytes, places).catch(renew);
    judge("requests", REQUESTS, await fuzz(corpus("requests"), REQUESTS, check));
  },
  TIMEOUT,
);

it(
  "takes no answer that Node would not, and understands it alike, however it is cut",
  async () => {
    const check: Check = (bytes, places, way) => checkAnswer(wire, bytes, places, wayOf(way)).catch(renew);
    judge("answers", ANSWERS, await fuzz(corpus("answers"), ANSWERS, check));
  },
  TIMEOUT,
);

function wayOf(way: number): Asked {
  const old = way % 7 === 6;
  return {
    method: way % 5 === 4 ? "HEAD" : "GET",
    old,
    upgrade: !old && way % 11 === 10,
    ends: way % 2 === 1,
  };
}

function judge(what: string, planned: number, { cases, accepted, seconds }: Tally): void {
  const rate = Math.round(cases / seconds);
  console.log(`${cases} ${what}, ${accepted} taken, ${rate} a second, SLUICE_FUZZ_SEED=${SEED}`);
  expect(cases).toBe(planned);
  expect(accepted).toBeGreaterThan(planned * 0.3); // or hardly anything would have been compared
}
