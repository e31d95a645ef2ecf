import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_ROWS } from "../src/schema.ts";
import { apiWithoutModel, bodyOf, TRIP, testApi } from "./support/api.ts";

const { app, model, predict } = testApi();

async function refusal(response: Response) {
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  const document = await bodyOf(response);
  expect(document.status).toBe(response.status);
  return document;
}

describe("the prediction path", () => {
  it.each(["/api/predict/", "/api/predict", "/predict", "/predict/"])("is also %s", async (path) => {
    const headers = { "Content-Type": "application/json; charset=utf-8" };
    const response = await app.request(path, {
      method: "POST",
      headers,
      body: JSON.stringify({ data: [TRIP] }),
    });
    expect((await bodyOf(response)).predictions).toEqual([model.predict(TRIP)]);
  });

  it("predicts 10,000 rows at once", async () => {
    const response = await predict({ data: Array.from({ length: MAX_ROWS }, () => TRIP) });
    expect(response.status).toBe(200);
    expect((await bodyOf(response)).predictions).toHaveLength(MAX_ROWS);
  });

  it("holds 10,000 rows in the default limit, even indented and with the longest numbers", () => {
    const long = { ...TRIP, pickup_longitude: -73.99981689453125, dropoff_longitude: -73.99951171875124 };
    const rows = Array.from({ length: MAX_ROWS }, () => ({ ...long, pickup_latitude: 40.73835372924805 }));
    expect(JSON.stringify({ data: rows }, null, 2).length).toBeLessThan(4 * 2 ** 20);
  });

  it("ignores members that it does not know", async () => {
    const response = await predict({ data: [{ ...TRIP, fare_amount: 7, vendor: { id: 1 } }], trace: true });
    expect(response.status).toBe(200);
  });

  it("takes a typical time for a missing or null pickup_datetime", async () => {
    const { pickup_datetime: _, ...timeless } = TRIP;
    const typical = { ...TRIP, pickup_datetime: model.artifact.typical_pickup_datetime };
    const response = await predict({ data: [timeless, { ...TRIP, pickup_datetime: null }] });
    expect((await bodyOf(response)).predictions).toEqual([model.predict(typical), model.predict(typical)]);
  });

  it("accepts the limits themselves", async () => {
    const edge = {
      pickup_latitude: 90,
      pickup_longitude: -180,
      dropoff_latitude: -90,
      dropoff_longitude: 180,
    };
    for (const passenger_count of [1, 6, 2.0])
      expect((await predict({ data: [{ ...edge, passenger_count }] })).status).toBe(200);
  });
});

describe("an invalid row", () => {
  it.each([
    ["pickup_latitude", 90.1, "expected a number from -90 to 90, got 90.1"],
    ["dropoff_latitude", -91, "expected a number from -90 to 90, got -91"],
    ["pickup_longitude", 180.5, "expected a number from -180 to 180, got 180.5"],
    ["dropoff_longitude", "-73.9", 'expected a number from -180 to 180, got "-73.9"'],
    ["pickup_latitude", null, "expected a number from -90 to 90, got null"],
    ["pickup_latitude", [40.7], "expected a number from -90 to 90, got an array"],
    ["pickup_latitude", undefined, "missing: expected a number from -90 to 90"],
    ["passenger_count", 0, "expected a whole number from 1 to 6, got 0"],
    ["passenger_count", 7, "expected a whole number from 1 to 6, got 7"],
    ["passenger_count", 1.5, "expected a whole number from 1 to 6, got 1.5"],
    ["passenger_count", true, "expected a whole number from 1 to 6, got true"],
    ["passenger_count", undefined, "missing: expected a whole number from 1 to 6"],
    ["pickup_datetime", "2015-02-30 10:00:00", expect.stringContaining('got "2015-02-30 10:00:00"')],
    ["pickup_datetime", "yesterday", expect.stringContaining("expected text such as 2015-05-07 19:52:06")],
    ["pickup_datetime", 1431028326, expect.stringContaining("got 1431028326")],
    ["pickup_datetime", "x".repeat(5000), expect.stringMatching(/^.{0,150}…"$/)],
  ])("with %s %j is refused by index, field and reason", async (field, value, reason) => {
    const response = await predict({ data: [TRIP, { ...TRIP, [field]: value }] });
    expect(response.status).toBe(422);
    expect(await refusal(response)).toMatchObject({
      title: "Unprocessable Entity",
      detail: "1 of 2 rows is invalid; nothing was predicted.",
      errors: [{ index: 1, field, reason }],
      errors_omitted: 0,
    });
  });

  it.each([null, 5, "trip", [TRIP], true])("that is %j is refused as a whole", async (row) => {
    const document = await refusal(await predict({ data: [row] }));
    expect(document.errors).toEqual([
      { index: 0, field: null, reason: "expected an object with the fields of a trip" },
    ]);
  });

  it("is listed with each of its fields, up to 100 errors, the others counted", async () => {
    const document = await refusal(await predict({ data: Array.from({ length: 50 }, () => ({})) }));
    expect(document.errors).toHaveLength(100);
    expect(document.errors_omitted).toBe(150);
    expect(document.detail).toBe("50 of 50 rows are invalid; nothing was predicted.");
  });

  it("with a number beyond all numbers is refused, not predicted", async () => {
    const text = JSON.stringify({ data: [TRIP] }).replace("40.7383", "1e999");
    expect((await refusal(await predict(text))).errors[0].reason).toContain("got Infinity");
  });
});

describe("a body without usable rows", () => {
  it.each([
    [{}, '"data" is missing: expected an array of trips.'],
    [{ data: null }, '"data" is no array: expected an array of trips.'],
    [{ data: TRIP }, '"data" is no array: expected an array of trips.'],
    [{ data: [] }, '"data" is empty: expected at least one trip.'],
    [[TRIP], 'The body is not an object: expected {"data": [trip, …]}.'],
    ["null", 'The body is not an object: expected {"data": [trip, …]}.'],
    ['{"__proto__":{"data":[]}}', '"data" is missing: expected an array of trips.'],
  ])("%j is refused with 422", async (body, detail) => {
    const response = await predict(body);
    expect(response.status).toBe(422);
    expect((await refusal(response)).detail).toBe(detail);
  });

  it("of more than 10,000 is refused before any row is looked at", async () => {
    const response = await predict({ data: Array.from({ length: MAX_ROWS + 1 }, () => 0) });
    expect(response.status).toBe(422);
    expect((await refusal(response)).detail).toBe('"data" has 10001 rows: expected at most 10000.');
  });
});

describe("a body that is no JSON", () => {
  it.each(["", "{", "NaN", '{"data":[NaN]}', "data=1", "\u0000", `${"[".repeat(100_000)}`])(
    "is refused with 400 (%#)",
    async (text) => {
      const response = await predict(text);
      expect(response.status).toBe(400);
      const { detail } = await refusal(response);
      expect(detail).toMatch(/^The body is not JSON: /);
      expect(detail.length).toBeLessThan(200);
    },
  );

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "multipart/form-data",
    "",
  ])("or is declared as %j gets 415 and learns what is accepted", async (type) => {
    const response = await predict({ data: [TRIP] }, { "Content-Type": type });
    expect(response.status).toBe(415);
    expect(response.headers.get("Accept")).toBe("application/json");
    await refusal(response);
  });

  it("or is compressed gets 415", async () => {
    const response = await predict({ data: [TRIP] }, { "Content-Encoding": "gzip" });
    expect(response.status).toBe(415);
    expect(response.headers.get("Accept-Encoding")).toBe("identity");
  });

  it("takes a body that says it is not compressed, in any case of letters", async () => {
    expect((await predict({ data: [TRIP] }, { "Content-Encoding": "Identity" })).status).toBe(200);
  });
});

describe("hostile JSON", () => {
  it("nested a million deep, with repeated keys and prototypes, is answered and changes nothing", async () => {
    const deep = `{"data":${"[".repeat(500_000)}${"]".repeat(500_000)}}`;
    expect((await predict(deep)).status).toBe(422);
    const row = JSON.stringify(TRIP).slice(1);
    expect((await predict(`{"data":1,"data":[{"passenger_count":99,${row}]}`)).status).toBe(200);
    const polluted = `{"__proto__":{"polluted":1},"data":[{"__proto__":{"polluted":1},"constructor":{},${row}]}`;
    expect((await predict(polluted)).status).toBe(200);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("of any shape gets an answer of the contract", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect([200, 422]).toContain((await predict({ data: [value] })).status);
        expect([200, 422]).toContain((await predict(JSON.stringify(value))).status);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a body over the limit", () => {
  const small = testApi(2048);
  const body = JSON.stringify({ data: Array.from({ length: 20 }, () => TRIP) });

  it("is refused by its declared length", async () => {
    const response = await small.predict(body, { "Content-Length": String(body.length) });
    expect(response.status).toBe(413);
    expect((await refusal(response)).detail).toBe("The body is larger than 2048 bytes.");
  });

  it("is refused in chunks as well", async () => {
    expect((await small.predict(body)).status).toBe(413);
  });

  it("is no matter below it", async () => {
    expect((await small.predict({ data: [TRIP] })).status).toBe(200);
  });
});

describe("without a model", () => {
  it("a prediction gets 503 whatever its body", async () => {
    const { predict } = apiWithoutModel();
    for (const body of [{ data: [TRIP] }, "{"]) {
      const response = await predict(body);
      expect(response.status).toBe(503);
      expect(response.headers.get("Retry-After")).toBe("5");
      expect((await refusal(response)).detail).toBe("No model is loaded.");
    }
  });
});
