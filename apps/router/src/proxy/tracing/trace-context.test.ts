import { describe, expect, it } from "vitest";
import { CALLER, ID, PARENT, traced, tracing } from "../../../test/support/traced.ts";
import { ENGINES } from "../../engines.ts";

describe.each(Object.entries(ENGINES))("trace context through engine %s", (_name, engine) => {
  const { seenWith } = traced(engine);

  describe("where tracing is off", () => {
    it("passes traceparent and tracestate like any other field, whatever they say", async () => {
      const { rawHeaders, front } = await seenWith(undefined, [
        ["TraceParent", "no such thing"],
        ["TraceState", "Foo==1"],
      ]);
      const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
      expect(pairs).toContain("TraceParent: no such thing");
      expect(pairs).toContain("TraceState: Foo==1");
      expect(front.lines[0]!.trace_id).toBeUndefined();
    });

    it("begins nothing", async () => {
      const { headers } = await seenWith(undefined);
      expect(headers).not.toHaveProperty("traceparent");
    });

    it("says the trace that a client names in the log line", async () => {
      const { headers, front } = await seenWith(undefined, [["traceparent", PARENT]]);
      expect(headers.traceparent).toBe(PARENT);
      expect(front.lines[0]).toMatchObject({ trace_id: ID, color: "blue" });
      expect(front.lines[0]!.target).toMatch(/^http:/);
    });
  });

  describe("where nothing is exported", () => {
    it("leaves a valid traceparent as it is, and joins tracestate", async () => {
      const { headers, rawHeaders } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["tracestate", "foo=1"],
        ["tracestate", "bar=2,"],
      ]);
      expect(headers.traceparent).toBe(PARENT);
      expect(headers.tracestate).toBe("foo=1,bar=2");
      expect(rawHeaders.filter((name) => name.toLowerCase() === "tracestate")).toHaveLength(1);
    });

    it.each([
      ["nothing", undefined],
      ["what is none", "00-zz"],
      ["zeros", `00-${"0".repeat(32)}-${CALLER}-01`],
    ])("begins a trace for a client that sends %s, without its tracestate", async (_what, value) => {
      const { headers, front } = await seenWith(tracing(), [
        ...(value === undefined ? [] : ([["traceparent", value]] as [string, string][])),
        ["tracestate", "foo=1"],
      ]);
      expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/);
      expect(headers.tracestate).toBeUndefined();
      expect(front.lines[0]!.trace_id).toBe((headers.traceparent as string).slice(3, 35));
    });

    it("begins one where traceparent comes twice", async () => {
      const { headers } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["traceparent", PARENT],
      ]);
      expect(headers.traceparent).not.toContain(ID);
    });

    it("samples none of its own traces by choice, and never changes the caller's flag", async () => {
      const own = await seenWith(tracing({ sample: 0 }));
      expect(own.headers.traceparent).toMatch(/-02$/);
      const callers = await seenWith(tracing({ sample: 0 }), [["traceparent", PARENT]]);
      expect(callers.headers.traceparent).toBe(PARENT);
    });

    it("cannot be talked out of it by Connection", async () => {
      const { headers } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["Connection", "traceparent"],
      ]);
      expect(headers.traceparent).toBe(PARENT);
    });
  });
});
