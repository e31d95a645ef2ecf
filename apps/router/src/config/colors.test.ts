import { describe, expect, test } from "vitest";
import { load, problems } from "../../test/support/config-file.ts";

describe("colors", () => {
  test("a color may have no target yet, and colors keep the file's order", () => {
    expect(
      Object.keys(load("colors: { zebra: { weight: 1 }, v1-0: { weight: 0 }, apple: { weight: 2 } }").colors),
    ).toEqual(["zebra", "v1-0", "apple"]);
  });

  test("targets are normalised", () => {
    const targets = '["HTTP://LocalHost:8001/", "http://10.0.0.1:80", "http://[::1]:9000"]';
    expect(load(`colors: { blue: { weight: 1, targets: ${targets} } }`).colors.blue?.targets).toEqual([
      "http://localhost:8001",
      "http://10.0.0.1",
      "http://[::1]:9000",
    ]);
  });
});

describe("what is refused, in one message", () => {
  test.each([
    ["colors: {}", /^colors has no color/],
    ["colors: [blue]", /^colors is a list; expected colors, such as/],
    ["colors: { blue: {} }", /^colors\.blue\.weight is missing; expected a weight/],
    ["colors: { blue: }", /^colors\.blue is empty; expected \{ weight: NUMBER, targets: \[URL\] \}/],
    [
      "colors: { blue: { weight: -1 } }",
      /^colors\.blue\.weight is -1; expected a weight: a number of at least 0\.$/,
    ],
    ["colors: { blue: { weight: .inf } }", /^colors\.blue\.weight is Infinity/],
    ["colors: { blue: { weight: 0 }, green: { weight: 0 } }", /^colors have only weights of 0/],
    ["colors: { none: { weight: 1 } }", /"none"; which is reserved/],
    ["colors: { constructor: { weight: 1 } }", /"constructor"; which is reserved/],
    ["colors: { Blue: { weight: 1 } }", /"Blue"; expected a name of up to 32 lower-case/],
    ["colors: { __proto__: { weight: 1 }, blue: { weight: 1 } }", /"?__proto__"?/],
    [
      "colors: { blue: { weight: 1, target: [] } }",
      /^colors\.blue\.target is not an option; did you mean colors\.blue\.targets\?$/,
    ],
    ["colors: { blue: { weight: 1, targets: [https://a:0] } }", /a port of at least 1/],
    ["colors: { blue: { weight: 1, targets: [http://a:1/x] } }", /a target has no path or query/],
    [
      "colors: { blue: { weight: 1, targets: [http://u:p@a:1] } }",
      /is "http:\/\/\*\*\*@a:1"; a target has no user name/,
    ],
    ["colors: { blue: { weight: 1, targets: [127.0.0.1:1] } }", /expected http:\/\/HOST:PORT/],
    ["colors: { blue: { weight: 1, targets: [h2c://a:1/x] } }", /a target has no path or query/],
    [
      "colors: { blue: { weight: 1, targets: [h2c://u:p@a:1] } }",
      /is "h2c:\/\/\*\*\*@a:1"; a target has no user name/,
    ],
    [
      "colors: { a: { weight: 1, targets: [http://a:1] }, b: { weight: 1, targets: [h2c://a:1] } }",
      /b\.targets\[0\] is h2c:\/\/a:1, the same as colors\.a\.targets\[0\]/,
    ],
    ["colors: { blue: { weight: 1, targets: [http://a:0] } }", /port of at least 1/],
    ["colors: { blue: { weight: 1, targets: http://a:1 } }", /expected a list of targets/],
    [
      "colors: { a: { weight: 1, targets: [http://a:1] }, b: { weight: 1, targets: [http://A:1/] } }",
      /the same as colors\.a\.targets\[0\]/,
    ],
  ])("%s", (yaml, message) => {
    const found = problems(yaml);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });
});
