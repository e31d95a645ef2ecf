import { z } from "zod";
import { type Pointer, parsePointer } from "../core/predictions/pointer.ts";
import { Refused } from "./errors.ts";
import { documented, list, option, parsed, section, strict } from "./option.ts";
import { noneOr, pathPattern } from "./parts.ts";
import { boolean, duration, number, share, size, whole } from "./values.ts";

const pointer = () =>
  parsed((value): Pointer => {
    try {
      return parsePointer(String(value));
    } catch {
      throw Refused.expected(
        "a JSON Pointer such as /predictions/*/fare_amount, in which * stands for every element",
      );
    }
  });

const range = () =>
  parsed((value): readonly [number, number] | undefined => {
    if (value === "none") return undefined;
    const [low, high, ...more]: readonly unknown[] = Array.isArray(value) ? value : [];
    const fits = typeof low === "number" && typeof high === "number" && low <= high && more.length === 0;
    if (!fits || !Number.isFinite(high - low))
      throw Refused.expected("none, or the least and the largest number, such as [0, 500]");
    return [low, high];
  });

function isPointer(value: unknown): boolean {
  try {
    return typeof value === "string" && parsePointer(value) !== undefined;
  } catch {
    return false;
  }
}

const bounds = () =>
  parsed((value): readonly number[] => {
    const numbers: readonly unknown[] = Array.isArray(value) ? value : [Number.NaN];
    const rising = numbers.every(
      (each, i) => Number.isFinite(each) && (i === 0 || Number(each) > Number(numbers[i - 1])),
    );
    if (!rising || numbers.length > 31)
      throw Refused.expected("at most 31 rising numbers, such as [1, 2, 4]");
    return numbers as readonly number[];
  });

const PREDICTIONS =
  "none, a JSON Pointer such as /predictions/*/fare_amount, or { at: POINTER, range: [0, 500] }";

/** Where predictions are in answers, and what they may be. */
export const predictions = () => {
  const shape = {
    at: option(pointer(), {
      required: true,
      about:
        "Where predictions are in an answer: a JSON Pointer in which `*` stands for every element. Answers of the Open Inference Protocol are known.",
    }),
    range: option(range(), {
      default: "none",
      about: "Least and largest plausible prediction; what lies outside is a bad answer.",
    }),
    paths: option(list(pathPattern(), "paths"), {
      default: [],
      unit: "paths",
      about:
        "POST paths whose answers have predictions; `*` stands for one segment. Empty: those of `retry.idempotent_paths`.",
    }),
  };
  const whole = strict(shape, PREDICTIONS).transform(({ at, ...rest }) => ({ pointer: at, ...rest }));
  const short = z.preprocess((value) => (isPointer(value) ? { at: value } : value), whole);
  const about =
    "What is read of answers with status 200, for guards, shadowing and feedback: `none`, a pointer alone, or a mapping.";
  return documented(noneOr(short), { shape }, { default: "none", about });
};

const sliceShape = {
  field: option(pointer(), {
    required: true,
    about: "A JSON Pointer into the request, such as /data/0/passenger_count.",
  }),
  buckets: option(bounds(), {
    default: [],
    about: "Rising upper bounds, included; empty: each value is a bucket, up to 32 of them.",
  }),
};
const slice = strict(sliceShape, "a slice, such as { field: /data/0/passenger_count, buckets: [1, 2, 4] }");

/** What copies of requests to a shadow may cost, and how their answers are compared. */
export const shadow = section({
  rate: option(whole(1, 100_000), {
    default: 100,
    unit: "copies a second",
    about: "Copies that are sent at most; each worker has its own limits.",
  }),
  concurrency: option(whole(1, 1000), {
    default: 8,
    unit: "copies",
    about: "Copies on their way at once.",
  }),
  queue: option(whole(1, 100_000), {
    default: 100,
    unit: "copies",
    about: "Copies that may wait; more are dropped.",
  }),
  memory: option(size(), {
    default: "16MiB",
    unit: "size",
    about: "Bodies of copies that wait or are on their way.",
  }),
  timeout: option(duration(), { default: "5s", unit: "duration", about: "For a copy to be answered whole." }),
  answer: option(size(), {
    default: "256KiB",
    unit: "size",
    about: "Largest answer to a copy; a longer one is cut off.",
  }),
  atol: option(
    number("a number of at least 0", (value) => value >= 0),
    {
      default: 0.5,
      about: "Predictions agree that differ by at most this, in their own unit, and `rtol` on top.",
    },
  ),
  rtol: option(share(), {
    default: 0.02,
    unit: "share",
    about: "Part of the main prediction that is allowed on top of `atol`.",
  }),
  slices: documented(
    list(slice, "slices").max(8, { error: "expected at most 8 slices" }).prefault([]),
    { shape: sliceShape, as: "[]" },
    { default: [], about: "Fields of the request by whose values agreement is told apart." },
  ),
  worst: option(whole(0, 100), { default: 20, unit: "pairs", about: "The worst pairs that are kept." }),
  bodies: option(boolean(), {
    default: false,
    about:
      "Whether the worst pairs are kept with their requests' queries and bodies (up to 4 KiB); they can be personal data.",
  }),
});
