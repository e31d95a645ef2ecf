import { describe, expect, it } from "vitest";
import { serverMaterial, TestAuthority } from "../support/certificates.ts";
import { CONNECTIONS } from "./cases/connections.ts";
import { FIELDS } from "./cases/fields.ts";
import { FORWARDING } from "./cases/forwarding.ts";
import { REQUEST_FRAMING } from "./cases/request-framing.ts";
import { REQUEST_LINE } from "./cases/request-line.ts";
import { RESPONSES } from "./cases/responses.ts";
import { ENGINES } from "./engines.ts";
import { runCase, type Secure } from "./run-case.ts";

const CHAPTERS = {
  "framing of requests": REQUEST_FRAMING,
  "request line and Host": REQUEST_LINE,
  "header fields": FIELDS,
  forwarding: FORWARDING,
  "answers and their faults": RESPONSES,
  "connections, time-outs and limits": CONNECTIONS,
};

const ALL = Object.values(CHAPTERS).flat();

const authority = await TestAuthority.create();
const SECURE: Secure = {
  material: serverMaterial([await authority.issue()]),
  client: { ca: authority.cert },
};
/** Every engine as it is, and behind TLS, where nothing is to be any different. */
const WAYS = ENGINES.flatMap((engine) => [
  { ...engine, secure: undefined },
  { ...engine, name: `${engine.name} inside TLS`, secure: SECURE },
]);

describe.for(WAYS)("the engine $name", ({ create, cannot, secure }) => {
  for (const [chapter, cases] of Object.entries(CHAPTERS)) {
    describe(chapter, { concurrent: true }, () => {
      for (const test of cases) {
        const check = cannot.includes(test.name) ? it.fails : it;
        check(`${test.name} (RFC ${test.rfc})`, () => runCase(test, create, secure));
      }
    });
  }

  it("has no expected failure without its case", () => {
    const names = ALL.map((test) => test.name);
    expect(cannot.filter((name) => !names.includes(name))).toEqual([]);
  });
});

it("names each case once", () => {
  const names = ALL.map((test) => test.name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
