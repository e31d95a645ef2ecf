import { describe, expect, it } from "vitest";
import { isSampled, readTraceContext, readTracestate, traceFields } from "./trace-context.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const read = (traceparent: string | undefined, tracestate?: string) =>
  readTraceContext({
    header: (name) => ({ traceparent, tracestate })[name],
  });

describe("traceparent", () => {
  it("names the trace, the caller's span and its flags", () => {
    expect(read(`00-${ID}-${SPAN}-01`)).toEqual({ traceId: ID, parentId: SPAN, flags: 1, state: undefined });
    expect(read(`00-${ID}-${SPAN}-00`)?.flags).toBe(0);
  });

  it("keeps the flags that are defined, and clears those that are not", () => {
    expect(read(`00-${ID}-${SPAN}-03`)?.flags).toBe(3);
    expect(read(`00-${ID}-${SPAN}-ff`)?.flags).toBe(3);
    expect(read(`00-${ID}-${SPAN}-fc`)?.flags).toBe(0);
  });

  it.each([
    `cc-${ID}-${SPAN}-01`,
    `cc-${ID}-${SPAN}-01-what-the-future-will-be-like`,
    `fe-${ID}-${SPAN}-01-`,
  ])("of a later version is read as far as it is known: %s", (value) => {
    const context = read(value);
    expect(context?.traceId).toBe(ID);
    expect(traceFields(context!, "00f067aa0ba902b7")).toEqual([
      ["traceparent", `00-${ID}-00f067aa0ba902b7-01`],
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["an empty value", ""],
    ["the forbidden version", `ff-${ID}-${SPAN}-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a parent id of zeros", `00-${ID}-${"0".repeat(16)}-01`],
    ["capital letters", `00-${ID.toUpperCase()}-${SPAN}-01`],
    ["something behind version 00", `00-${ID}-${SPAN}-01-extra`],
    ["something else than a dash behind a later version", `cc-${ID}-${SPAN}-01.what`],
    ["a short trace id", `00-${ID.slice(1)}-${SPAN}-01`],
    ["a long trace id", `00-${ID}0-${SPAN}-01`],
    ["a short parent id", `00-${ID}-${SPAN.slice(1)}-01`],
    ["one flag digit", `00-${ID}-${SPAN}-1`],
    ["letters that are no digits", `00-${ID}-${SPAN}-.0`],
    ["a line break", `00-${ID}-${SPAN}-01\n`],
    ["two values", `00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`],
    ["two values of a later version", `cc-${ID}-${SPAN}-01, cc-${ID}-${SPAN}-01`],
  ])("is not one with %s, and tracestate goes with it", (_what, value) => {
    expect(read(value, "foo=1")).toBeUndefined();
  });
});

describe("tracestate", () => {
  it("goes on in its order, and without empty members", () => {
    expect(read(`00-${ID}-${SPAN}-01`, "foo=1,bar=2, baz=3")?.state).toBe("foo=1,bar=2,baz=3");
    expect(readTracestate(" ,foo=1 \t,, bar=2,")).toBe("foo=1,bar=2");
    expect(readTracestate("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")).toBe(
      "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    );
  });

  it.each([
    "tenant@vendor=1",
    "0vendor=1",
    "a-_*/=1",
    `${"k".repeat(256)}=1`,
    `k=${"v".repeat(256)}`,
    "k= leading blank",
    "k=~!#",
  ])("may have the member %s", (member) => {
    expect(readTracestate(member)).toBe(member);
  });

  it.each([
    ["nothing", ""],
    ["empty members alone", " , ,"],
    ["no value", "foo"],
    ["an empty value", "foo="],
    ["an empty key", "=1"],
    ["a capital letter in a key", "Foo=1"],
    ["a key that begins with a sign", "_foo=1"],
    ["a blank in a key", "foo bar=1"],
    ["= in a value", "foo=1=2"],
    ["a long key", `${"k".repeat(257)}=1`],
    ["a long value", `k=${"v".repeat(257)}`],
    ["letters beyond ASCII", "foo=ü"],
    ["33 members", Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(",")],
  ])("is dropped with %s, and the trace goes on", (_what, value) => {
    expect(read(`00-${ID}-${SPAN}-01`, value)).toEqual({
      traceId: ID,
      parentId: SPAN,
      flags: 1,
      state: undefined,
    });
  });

  it("may have 32 members", () => {
    const full = Array.from({ length: 32 }, (_, i) => `k${i}=1`).join(",");
    expect(readTracestate(full)).toBe(full);
  });

  it("is made shorter than 512 characters by its long members first, then by the last", () => {
    const long = `long=${"x".repeat(200)}`;
    const short = Array.from({ length: 20 }, (_, i) => `key${i + 10}=${"y".repeat(24)}`);
    const kept = readTracestate([long, ...short].join(","))!.split(",");
    expect(kept).toEqual(short.slice(0, kept.length));
    expect(kept.join(",").length).toBeLessThanOrEqual(512);
    expect([...kept, short[kept.length]].join(",").length).toBeGreaterThan(512);
  });

  it("is not searched for ever, however odd it is", () => {
    expect(readTracestate(`${"a".repeat(50_000)}`)).toBeUndefined();
    expect(readTracestate(`a=${" ".repeat(50_000)}`)).toBeUndefined();
    expect(readTracestate(",".repeat(50_000))).toBeUndefined();
  });
});

describe("sampling", () => {
  it("takes its share of the ids, and always the same ones", () => {
    const id = (part: number) =>
      Math.floor(part * 2 ** 52)
        .toString(16)
        .padStart(13, "0")
        .padStart(32, "f");
    expect(isSampled(id(0.24), 0.25)).toBe(true);
    expect(isSampled(id(0.26), 0.25)).toBe(false);
    expect(isSampled(id(0), 0)).toBe(false);
    expect(isSampled("f".repeat(32), 1)).toBe(true);
  });
});
