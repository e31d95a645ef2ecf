import { expect, test } from "vitest";
import { loadModel, mockArtifact } from "./index.ts";

test("a mock artifact loads and predicts without any training", () => {
  const model = loadModel(JSON.stringify(mockArtifact("1.2.3")));
  expect(model.artifact.version).toBe("1.2.3");
  const fares = model.artifact.golden.map(({ trip }) => model.predict(trip).fare_amount);
  expect(fares.every((fare) => fare >= 2.5 && fare < 150)).toBe(true);
});
