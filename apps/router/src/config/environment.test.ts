// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what these files contain
import { describe, expect, test } from "vitest";
import { COLORS, load, problems } from "../../test/support/config-file.ts";

describe("the environment", () => {
  test("is read in any value, numbers included, and $${ stays a plain ${", () => {
    const config = load(
      "listen: 127.0.0.1:${PORT}\ncolors: { '${x}': { weight: '${W}' } }\n".replace("'${x}'", "blue"),
      {
        PORT: "81",
        W: "2.5",
      },
    );
    expect(config.listen.port).toBe(81);
    expect(config.colors.blue?.weight).toBe(2.5);
    expect(load(`${COLORS}admin: { token: "$\${A}" }`).admin.tokens[0]?.token).toBe("${A}");
  });

  test("without the variable names it and the key, and says nothing else about the value", () => {
    expect(problems(`${COLORS}listen: \${NOWHERE}`)).toEqual([
      "listen names ${NOWHERE}, and the environment has no NOWHERE.",
    ]);
  });

  test("refuses a ${ that does not begin a name", () => {
    expect(problems(`${COLORS}listen: "\${1x}"`)[0]).toMatch(/^listen names \$\{ that does not begin/);
    expect(problems(`${COLORS}listen: "a\${b"`)).toHaveLength(1);
  });

  test("shows where a bad value came from, unless its name sounds like a secret", () => {
    expect(problems(`${COLORS}listen: \${PORT}`, { PORT: "abc" })[0]).toMatch(
      /^listen is "abc", from "\$\{PORT\}"; expected/,
    );
    expect(problems(`${COLORS}listen: \${DB_PASSWORD}`, { DB_PASSWORD: "hunter2" })[0]).toMatch(
      /^listen is "\$\{DB_PASSWORD\}"; expected/,
    );
  });
});
