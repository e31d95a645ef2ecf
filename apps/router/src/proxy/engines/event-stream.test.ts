import { describe, expect, it } from "vitest";
import { EventLane, isEventStream } from "./event-stream.ts";

const bytes = (text: string) => Buffer.from(text);

describe("a stream of events", () => {
  it.each(["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])("ends at once after an empty line: %j", (end) => {
    const lane = new EventLane();
    for (const char of `data: 1${end}`) lane.pass(bytes(char));
    lane.end();
    expect(lane.over).toBe(true);
    expect(lane.pass(bytes("data: 2"))).toHaveLength(0);
  });

  it("ends at once before the first event", () => {
    const lane = new EventLane();
    lane.end();
    expect(lane.over).toBe(true);
  });

  it.each([
    ["data: 1\nda", "ta: x\n\ndata: 2\n\n", "ta: x\n\n"],
    ["data: 1\n", "\ndata: 2\n\n", "\n"],
    ["data: 1\r\n", "\r\ndata: 2\r\n\r\n", "\r\n"],
    ["data: 1\r\n\r", "\ndata: 2\r\n\r\n", undefined],
    ["data: 1\r", "\rdata: 2", "\r"],
    ["data: ü", "\n\nmore", "\n\n"],
  ])("lets the event under way end: %j, then %j", (before, after, passed) => {
    const lane = new EventLane();
    lane.pass(bytes(before));
    lane.end();
    if (passed === undefined) return expect(lane.over).toBe(true); // the client ignores the event's half-written end
    expect(lane.over).toBe(false);
    expect(String(lane.pass(bytes(after)))).toBe(passed);
    expect(lane.over).toBe(true);
  });

  it("goes on until the event ends, over many parts", () => {
    const lane = new EventLane();
    lane.pass(bytes("data: 1"));
    lane.end();
    for (const part of ["a", "\n", "data: b", "\n"]) {
      expect(lane.over).toBe(false);
      expect(String(lane.pass(bytes(part)))).toBe(part);
    }
    expect(String(lane.pass(bytes("\nx")))).toBe("\n");
    expect(lane.over).toBe(true);
  });

  it("is known by its type", () => {
    expect(
      ["text/event-stream", "Text/Event-Stream; charset=utf-8", "text/event-stream ;x"].every(isEventStream),
    ).toBe(true);
    expect(["text/event-streams", "text/plain", "", undefined].some(isEventStream)).toBe(false);
  });
});
