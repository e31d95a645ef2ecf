import { expect, it } from "vitest";
import { sourceAddress } from "./source-address.ts";

it("leaves the address to the system as long as ports last, then takes others", () => {
  expect(sourceAddress(0)).toBeUndefined();
  expect(sourceAddress(19_999)).toBeUndefined();
  expect(sourceAddress(20_000)).toBe("127.0.0.2");
  expect(sourceAddress(59_999)).toBe("127.0.0.3");
});
