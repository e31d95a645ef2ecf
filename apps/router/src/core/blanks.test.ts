import { expect, it } from "vitest";
import { withoutBlanks } from "./blanks.ts";

it.each([
  ["chunked", 0, "chunked"],
  [" \t chunked \t", 0, "chunked"],
  ["\xa0chunked", 0, "\xa0chunked"],
  ["chunked\v", 0, "chunked\v"],
  ["name: a b ", 5, "a b"],
  [" \t ", 0, ""],
])("takes spaces and tabs off %j from %d on, and nothing else", (text, start, rest) => {
  expect(withoutBlanks(text, start)).toBe(rest);
});
