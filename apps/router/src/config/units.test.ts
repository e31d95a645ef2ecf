import { describe, expect, test } from "vitest";
import { formatAddress, isLoopback, parseAddress, parseCidr } from "./address.ts";
import { normalizeTarget } from "./target-url.ts";
import { parseDuration, parseSize } from "./units.ts";

describe("units", () => {
  test.each([
    ["500ms", 500],
    ["2s", 2000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["2 s", 2000],
  ])("a duration of %s is %d ms", (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  test.each([2, "2", "2sec", "-1s", "1s2", "", null, "s", "1d", "0.1ms", "toString", "1toString"])(
    "%j is no duration",
    (value) => expect(() => parseDuration(value, { zero: true })).toThrow(/expected a duration/),
  );

  test("0 needs no unit where it means something", () => {
    expect(parseDuration(0, { zero: true })).toBe(0);
    expect(() => parseDuration(0)).toThrow(/expected a duration/);
    expect(parseSize("0", { zero: true })).toBe(0);
  });

  test.each([
    ["512B", 512],
    ["16KiB", 16_384],
    ["1.5MiB", 1_572_864],
    ["10MB", 10_000_000],
    ["1kB", 1000],
    ["2GiB", 2 ** 31],
  ])("a size of %s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([1024, "1024", "1k", "1mb", "-1B", "1e3B", "9999999999GiB"])("%j is no size", (value) =>
    expect(() => parseSize(value)).toThrow(/expected a size/),
  );
});

describe("addresses", () => {
  test.each([
    ["0.0.0.0:8080", "0.0.0.0", 8080],
    [":8080", "0.0.0.0", 8080],
    ["[::1]:9900", "::1", 9900],
    ["[::]:0", "::", 0],
    ["localhost:0", "localhost", 0],
  ])("%s is host %s and port %d", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(parseAddress(formatAddress({ host, port }))).toEqual({ host, port });
  });

  test.each([
    "8080",
    "a",
    "a:",
    "[]:1",
    "[1.2.3.4]:1",
    "1.2.3:1",
    "0177.0.0.1:1",
    "a_b:1",
    "http://a:1",
    "a:-1",
    "a:1.5",
    " a:1",
  ])("%j is no address", (text) => expect(() => parseAddress(text)).toThrow(/expected an address/));

  test("loopback is 127.0.0.0/8, ::1 and localhost, and nothing else", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
      expect(isLoopback(host)).toBe(true);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "128.0.0.1"])
      expect(isLoopback(host)).toBe(false);
  });

  test("a range loses the bits after its prefix, and a bare address is a range of one", () => {
    expect(parseCidr("10.1.2.3/8")).toBe("10.0.0.0/8");
    expect(parseCidr("192.0.2.7")).toBe("192.0.2.7/32");
    expect(parseCidr("2001:DB8::1")).toBe("2001:db8::1/128");
    expect(parseCidr("::/0")).toBe("::/0");
    for (const bad of [
      "10.0.0.0/33",
      "10.0.0",
      "::1/129",
      "a",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      7,
      "",
      "0x10.0.0.1",
    ]) {
      expect(() => parseCidr(bad)).toThrow(/expected a range/);
    }
  });
});

test.each([
  ["h2c://127.0.0.1:8001", "h2c://127.0.0.1:8001"],
  ["H2C://API-Blue:8001/", "h2c://api-blue:8001"],
  ["h2c://[0::1]:8001", "h2c://[::1]:8001"],
  ["h2c://a:80", "h2c://a"],
  ["h2c://2130706433:1", "h2c://127.0.0.1:1"],
  ["HTTP://A:1/", "http://a:1"],
])("%s is the target %s", (given, normal) => expect(normalizeTarget(given)).toBe(normal));

test.each([
  "h2c:/a:1",
  "h2c:a:1",
  "h2c://",
  "h2c://a b:1",
  "h2c://a:99999",
  "h2c://a:1#x",
  "h2://a:1",
  "http:/a:1",
  "http:\\\\a:1",
  "http://a:1#x",
  "http://a b:1",
  "http://",
  "ftp://a",
  "http://a:99999",
  "http://a\t:1",
  5,
])("%j is no target", (value) => expect(() => normalizeTarget(value)).toThrow(/expected http:/));
