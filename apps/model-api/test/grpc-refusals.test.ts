import { describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { raw, tensor, typed } from "./support/grpc.ts";
import { refusal, running } from "./support/running-grpc.ts";

describe("ModelInfer refuses with INVALID_ARGUMENT", () => {
  const one = (name: string, datatype: string, data: readonly unknown[], shape?: number[]) => ({
    inputs: typed([TRIP]).map((each) => (each.name === name ? tensor(name, datatype, data, shape) : each)),
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -91])("a latitude of %d", async (value) => {
    expect(await refusal(one("pickup_latitude", "FP64", [value]))).toBe(
      `The only row is invalid; nothing was predicted. Trip 0, pickup_latitude: expected a number from -90 to 90, got ${value}.`,
    );
  });

  it("invalid trips with the sentences of /api/predict/, whatever letters are in them", async () => {
    const row = { ...TRIP, passenger_count: 7, pickup_datetime: "morgen früh, 100 % 🚕" };
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ data: [row] }) };
    const { errors } = (await (await fetch(`${running.url}/api/predict/`, init)).json()) as {
      errors: { field: string; reason: string }[];
    };
    const details = await refusal({ inputs: typed([row]) });
    for (const { field, reason } of errors) expect(details).toContain(`Trip 0, ${field}: ${reason}.`);
  });

  it.each([
    [
      "a number beyond 2^53",
      one("passenger_count", "INT64", ["9223372036854775807"]),
      /from 1 to 6, got 9223372036854776000/,
    ],
    [
      "another datatype",
      one("pickup_latitude", "BOOL", [true]),
      /^Input "pickup_latitude" has datatype "BOOL"/,
    ],
    [
      "no datatype",
      one("pickup_latitude", "FP64", [1]).inputs.map((t) => ({ ...t, datatype: "" })),
      /has datatype ""/,
    ],
    ["a wrong shape", one("pickup_latitude", "FP64", [1], [1, 2]), /has shape \[1,2\]/],
    [
      "a huge shape",
      one("pickup_latitude", "FP64", [1], [2 ** 40]),
      /"pickup_longitude" has 1 elements and "pickup_latitude" has 1099511627776/,
    ],
    ["a negative shape", one("pickup_latitude", "FP64", [1], [-1]), /has shape \[-1\]/],
    [
      "too few elements",
      one("pickup_latitude", "FP64", [], [1]),
      /has 0 elements of data: its shape and datatype want 1\./,
    ],
    [
      "text that is no UTF-8",
      {
        inputs: one("pickup_datetime", "BYTES", []).inputs.map((t) =>
          t.name === "pickup_datetime"
            ? { ...t, shape: [1], contents: { bytesContents: [Buffer.from([0xff, 0xfe])] } }
            : t,
        ),
      },
      /Trip 0, pickup_datetime: expected text such as/,
    ],
    ["no inputs", {}, /^"inputs" is empty/],
    ["a missing tensor", { inputs: typed([TRIP]).slice(1) }, 'Input "pickup_latitude" is missing.'],
    [
      "a tensor twice",
      { inputs: [...typed([TRIP]), ...typed([TRIP])] },
      'Input "pickup_latitude" is there twice.',
    ],
    [
      "an unknown tensor",
      { inputs: [...typed([TRIP]), tensor("tip", "FP64", [1])] },
      /^Input "tip" is unknown/,
    ],
    ["an unknown output", { inputs: typed([TRIP]), outputs: [{ name: "tip" }] }, /^Output "tip" is unknown/],
    [
      "no trips",
      { inputs: typed([TRIP]).map((t) => ({ ...t, shape: [0], contents: {} })) },
      "The inputs are empty: expected at least one trip.",
    ],
    [
      "contents in another list",
      {
        inputs: one("pickup_latitude", "FP64", [1]).inputs.map((t) =>
          t.name === "pickup_latitude" ? { ...t, contents: { fp32Contents: [1] } } : t,
        ),
      },
      'Input "pickup_latitude" has fp32_contents: FP64 elements go into fp64_contents.',
    ],
    [
      "both kinds of contents",
      { inputs: typed([TRIP]), rawInputContents: raw([TRIP]).rawInputContents },
      /both contents and raw_input_contents/,
    ],
    [
      "too few raw contents",
      { ...raw([TRIP]), rawInputContents: [Buffer.alloc(8)] },
      "raw_input_contents has 1 items for 6 inputs: expected one for each.",
    ],
    [
      "raw contents that are too short",
      { ...raw([TRIP]), rawInputContents: raw([TRIP]).rawInputContents.map((b) => b.subarray(1)) },
      /has 7 bytes of data: its shape and datatype want 8\./,
    ],
    [
      "raw text cut off",
      {
        ...raw([TRIP]),
        rawInputContents: raw([TRIP]).rawInputContents.with(5, Buffer.from([9, 0, 0, 0, 65])),
      },
      /raw contents are not 1 texts/,
    ],
    [
      "raw text with more behind it",
      {
        ...raw([TRIP]),
        rawInputContents: raw([TRIP]).rawInputContents.with(5, Buffer.from([1, 0, 0, 0, 65, 66])),
      },
      /raw contents are not 1 texts/,
    ],
  ])("%s", async (_, request, reason) => {
    const details = await refusal(Array.isArray(request) ? { inputs: request } : request);
    expect(details).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason);
  });
});
