import { expect, test } from "vitest";
import { targetAddress, targetPlace } from "./target-address.ts";

test.each([
  ["http://127.0.0.1:8001", "http", "127.0.0.1", 8001, "127.0.0.1:8001"],
  ["h2c://127.0.0.1:8001", "h2c", "127.0.0.1", 8001, "127.0.0.1:8001"],
  ["h2c://api-blue", "h2c", "api-blue", 80, "api-blue"],
  ["h2c://[::1]:8001", "h2c", "::1", 8001, "[::1]:8001"],
] as const)("%s is spoken to by %s, at %s and %i", (url, protocol, host, port, authority) => {
  expect(targetAddress(url)).toEqual({ protocol, host, port, authority });
});

test("two ways to speak to one process are one place", () => {
  expect(targetPlace("h2c://a:1")).toBe(targetPlace("http://a:1"));
  expect(targetPlace("h2c://a:1")).not.toBe(targetPlace("h2c://a:2"));
});
