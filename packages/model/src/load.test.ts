import { describe, expect, test } from "vitest";
import type { Artifact } from "./artifact.ts";
import { ArtifactError } from "./artifact-error.ts";
import { artifactDigest, canonicalJson, signArtifact } from "./digest.ts";
import { loadModel, parseArtifact } from "./load.ts";
import { mockArtifact } from "./mock.ts";

const text = JSON.stringify(mockArtifact());

/** The sentence with which the artifact is refused after a change, signed anew or not. */
function refusal(change: (artifact: Artifact) => void, sign: "signed" | "unsigned" = "signed"): string {
  const artifact = mockArtifact();
  change(artifact);
  return refusalOf(JSON.stringify(sign === "signed" ? signArtifact(artifact) : artifact));
}

function refusalOf(document: string): string {
  try {
    loadModel(document);
  } catch (error) {
    expect(error).toBeInstanceOf(ArtifactError);
    return (error as Error).message;
  }
  return "accepted";
}

describe("training deciles", () => {
  const deciles = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  test("may be missing, for all values or for some", () => {
    expect(loadModel(text).artifact.training_deciles).toBeUndefined();
    expect(
      refusal((artifact) => Object.assign(artifact, { training_deciles: { distance_km: deciles } })),
    ).toBe("accepted");
  });

  test.each([
    ["too few", { distance_km: deciles.slice(1) }],
    ["not ascending", { distance_km: [...deciles.slice(0, 8), 8] }],
    ["of an unknown value", { passenger_count: deciles }],
  ])("are refused when they are %s", (_, training_deciles) => {
    expect(refusal((artifact) => Object.assign(artifact, { training_deciles }))).toMatch(/^training_deciles/);
  });
});

describe("the digest", () => {
  test("does not depend on the order of keys, nor on created", () => {
    const artifact = mockArtifact();
    const turned = Object.fromEntries(Object.entries(artifact).reverse()) as Artifact;
    expect(artifactDigest({ ...turned, created: "2030-01-01T00:00:00Z" })).toBe(artifact.digest);
  });

  test("changes with any other field", () => {
    expect(mockArtifact("0.0.1").digest).not.toBe(mockArtifact("0.0.0").digest);
    expect(artifactDigest({ ...mockArtifact(), intercept: 4.000000001 })).not.toBe(mockArtifact().digest);
  });

  test("is over RFC 8785 JSON", () => {
    expect(canonicalJson({ b: [1e21, 0.1, -0], a: "é\n" })).toBe('{"a":"é\\n","b":[1e+21,0.1,0]}');
  });
});

describe("loadModel", () => {
  test("accepts the artifact that was signed", () => {
    const model = loadModel(text);
    expect(model.artifact).toEqual(mockArtifact());
    expect(model.predictFare(model.artifact.golden[0]!.trip)).toBe(model.artifact.golden[0]!.fare_amount);
    expect(parseArtifact(text)).toEqual(mockArtifact());
  });

  test("says that a truncated file is not JSON", () => {
    expect(refusalOf(text.slice(0, 500))).toMatch(/^it is not JSON, perhaps cut off \(500 characters\): /);
    expect(refusalOf("")).toMatch(/^it is not JSON/);
  });

  test("names an unknown schema version before anything else", () => {
    const newer = JSON.stringify({ ...mockArtifact(), schema_version: 2, more: true });
    expect(refusalOf(newer)).toBe("schema_version is 2: this version reads only 1.");
  });

  test.each([
    ["null", "the document"],
    ["[]", "the document"],
    ["{}", "schema_version"],
    [text.replace('"seed":1', '"seed":-1'), "training_data.seed"],
    [text.replace('"intercept":4', '"intercept":1e999'), "intercept"],
    [text.replace('"intercept":4', '"intercept":"4"'), "intercept"],
    [text.replace('"intercept":4', '"intercept":null'), "intercept"],
    [text.replace('"schema_version":1', '"schema_version":1,"extra":1'), "the document"],
  ])("names the field that breaks the schema: %#", (document, path) => {
    expect(refusalOf(document)).toMatch(
      new RegExp(`^${path.replace(".", "\\.")} is not as the schema says: `),
    );
  });

  test("says both digests when the content was changed", () => {
    const message = refusal((artifact) => {
      artifact.coefficients[0] = 2.1;
    }, "unsigned");
    expect(message).toMatch(
      /^the digest is sha256:\w{64} but the content has sha256:\w{64}: it was changed\.$/,
    );
    expect(message).toContain(mockArtifact().digest);
  });

  test("names an unknown recipe", () => {
    const message = refusal((artifact) => {
      artifact.recipe = "constructor";
    });
    expect(message).toBe('recipe "constructor" is unknown to this version of the package.');
  });

  test("names a feature that the recipe does not produce", () => {
    const message = refusal((artifact) => {
      artifact.features[1] = "tips";
    });
    expect(message).toBe('feature "tips" is not one that recipe "baseline" produces.');
  });

  test("refuses lists of unequal length and features named twice", () => {
    expect(refusal((artifact) => artifact.scaling.sd.pop())).toBe("sd has 6 numbers for 7 features.");
    expect(refusal((artifact) => artifact.coefficients.pop())).toBe(
      "coefficients has 6 numbers for 7 features.",
    );
    const twice = refusal((artifact) => {
      artifact.features[1] = artifact.features[0]!;
    });
    expect(twice).toBe("features names one feature twice.");
  });

  test("names the golden row that predicts something else, from 1e-9 on", () => {
    const nudge = (by: number) =>
      refusal((artifact) => {
        artifact.golden[3]!.fare_amount += by;
      });
    expect(nudge(2e-9)).toMatch(/^golden row 3 predicts [\d.]+ but says [\d.]+\.$/);
    expect(nudge(5e-10)).toBe("accepted");
  });

  test("names a golden row that cannot be predicted", () => {
    const message = refusal((artifact) => {
      artifact.golden[3]!.trip.pickup_datetime = "soon";
    });
    expect(message).toMatch(/^golden row 3 cannot be predicted: pickup_datetime is "soon"/);
  });

  test("names a bound that is no date", () => {
    const message = refusal((artifact) => {
      artifact.input_bounds.pickup_datetime.max = "2015-02-30 00:00:00";
    });
    expect(message).toBe(
      'input_bounds.pickup_datetime.max is "2015-02-30 00:00:00", which is no date and time.',
    );
  });
});
