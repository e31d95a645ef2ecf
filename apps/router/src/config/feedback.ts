import { documented, option, strict } from "./option.ts";
import { noneOr } from "./parts.ts";
import { duration, number, whole } from "./values.ts";

/** What is remembered of answered requests until their actual values come. */
export const feedback = () => {
  const shape = {
    remember: option(duration(), {
      default: "24h",
      unit: "duration",
      about: "How long a request is remembered: an actual value that comes later is unknown.",
    }),
    max: option(whole(8, 10_000_000), {
      default: 100_000,
      unit: "predictions",
      about:
        "At most so many, the newest; a request of one row takes some 400 bytes of memory and 150 of disk.",
    }),
    sample: option(
      number("a share above 0 and up to 1", (value) => value > 0 && value <= 1),
      {
        default: 1,
        unit: "share",
        about: "Part of the requests that are remembered, by a hash of the request's id.",
      },
    ),
  };
  const schema = noneOr(strict(shape, "none or { remember: 24h, max: 100000, sample: 1 }"), {});
  const about =
    "What is remembered of predictions for `POST /feedback`; `none`: nothing. Without `predictions` there are none to remember.";
  return documented(schema, { shape }, { about });
};
