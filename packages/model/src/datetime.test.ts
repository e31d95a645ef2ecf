import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPickupDatetime, fromWallSeconds, parsePickupDatetime, wallSeconds } from "./datetime.ts";

describe("parsePickupDatetime", () => {
  test.each([
    "2015-05-07 19:52:06 UTC",
    "2015-05-07 19:52:06",
    "2015-05-07T19:52:06",
    "2015-05-07T19:52:06Z",
    "2015-05-07T19:52:06.123Z",
    "2015-05-07T19:52:06-04:00",
    "2015-05-07T19:52:06+0200",
  ])("reads the digits of %s as New York's clock, whatever the zone", (text) => {
    const expected = { year: 2015, month: 5, day: 7, hour: 19, minute: 52, second: 6, weekday: 4 };
    expect(parsePickupDatetime(text)).toEqual(expected);
  });

  test("takes a missing second as 0", () => {
    expect(parsePickupDatetime("2012-02-29T00:01")).toMatchObject({ day: 29, minute: 1, second: 0 });
  });

  test.each([
    ["2015-02-29 10:00:00", "no leap year"],
    ["1900-02-29 10:00:00", "no leap year"],
    ["2015-04-31 10:00:00", "no 31 April"],
    ["2015-13-01 10:00:00", "month 13"],
    ["2015-00-01 10:00:00", "month 0"],
    ["2015-01-00 10:00:00", "day 0"],
    ["2015-01-01 24:00:00", "hour 24"],
    ["2015-01-01 10:60:00", "minute 60"],
    ["2015-01-01 10:00:60", "second 60"],
    ["2015-01-01", "no time"],
    ["2015-1-1 1:00:00", "single digits"],
    ["2015-05-07T19:52:06+25:00", "no such offset"],
    [" 2015-05-07 19:52:06", "a space before"],
    ["2015-05-07 19:52:06 EST", "another zone"],
    ["yesterday", "words"],
    ["", "nothing"],
  ])("refuses %j: %s", (text) => {
    expect(parsePickupDatetime(text)).toBeUndefined();
  });

  test("agrees with the calendar of the language for any second of three centuries", () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_208_988_800, max: 7_258_118_399 }), (seconds) => {
        const text = formatPickupDatetime(fromWallSeconds(seconds));
        expect(text).toBe(new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " "));
        const parsed = parsePickupDatetime(text)!;
        expect(parsed.weekday).toBe(new Date(seconds * 1000).getUTCDay());
        expect(wallSeconds(parsed)).toBe(seconds);
      }),
    );
  });
});
