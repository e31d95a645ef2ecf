import { describe, it } from "vitest";
import { ENGINES } from "../engines.ts";
import { FRAMING } from "./cases/framing.ts";
import { HOSTILE } from "./cases/hostile.ts";
import { MESSAGES } from "./cases/messages.ts";
import { TRANSLATION } from "./cases/translation.ts";
import { runHttp2Case } from "./run-case.ts";

const CHAPTERS = {
  "frames and streams": FRAMING,
  "requests that are no requests": MESSAGES,
  "between HTTP/2 and HTTP/1.1": TRANSLATION,
  "clients that attack": HOSTILE,
};

describe.for(ENGINES)("HTTP/2 with the engine $name", ({ create }) => {
  for (const [chapter, cases] of Object.entries(CHAPTERS)) {
    describe(chapter, () => {
      for (const test of cases) it(`${test.name} (RFC ${test.rfc})`, () => runHttp2Case(test, create));
    });
  }
});
