// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what these files contain
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COLORS, folder, load, problems, refusal, write } from "../../test/support/config-file.ts";
import { DEFAULTS } from "../../test/support/default-config.ts";
import type { Config } from "./config.ts";
import { loadConfig } from "./load.ts";

/** As it stands in the design, but for the engine, which comes later. */
const DESIGN = `listen: 0.0.0.0:8080
admin:
  listen: 127.0.0.1:9900      # a non-loopback address without a token refuses to start
  token: \${SLUICE_ADMIN_TOKEN}  # or token_file; \${NAME} reads the environment in any value
state: ./var/sluice           # folder for durable state; \`memory\` keeps none
engine: wire                  # wire | http-proxy
split: random                 # random | exact
failover: true
colors:
  blue:  { weight: 90, targets: ["http://127.0.0.1:8001"] }
  green: { weight: 10, targets: ["http://127.0.0.1:8002"] }
affinity: none                # none | { cookie: NAME } | { header: NAME } | { query: NAME }
override: none                # none | { header: X-Sluice-Color, cookie: sluice_color, from: [CIDR], secret: … }
trusted_proxies: []           # CIDRs whose X-Forwarded-* are kept and appended to
allowed_targets: []           # CIDRs that \`PUT targets\` may name; empty: loopback and private ranges; link-local never
health:  { path: /health/ready, interval: 2s, timeout: 1s, rise: 2, fall: 3, jitter: 0.1, status: 200-299 }
passive: { errors: 5, window: 10s, ejection: 10s, max_ejected: 0.5 }
retry:                        # attempts: after the first; budget: share of the last 10 s' requests, at least 3 a second
  { attempts: 1, budget: 0.2, on: [connect, reset, unavailable], idempotent_paths: [], buffer: 64KiB, buffer_total: 64MiB }
hedge:   none                 # none | { after: p95, max: 0.05 }
timeouts:
  { client_header: 10s, client_body: 30s, connect: 1s, response_header: 30s, stream_idle: 60s, keepalive: 75s, drain: 30s }
limits:  { header: 16KiB, headers: 100, body: 10MiB, connections: 10000 }
metrics: { listen: admin }    # admin, or an address of its own for a scraper that should reach nothing else
workers: 1                    # data-plane processes; \`auto\` is one a core
`;

function designed(): Config {
  return {
    ...DEFAULTS,
    admin: { ...DEFAULTS.admin, tokens: [{ token: "s3cret", scope: "all" }] },
    state: join(folder, "var/sluice"),
    colors: {
      blue: { weight: 90, targets: ["http://127.0.0.1:8001"] },
      green: { weight: 10, targets: ["http://127.0.0.1:8002"] },
    },
  };
}

describe("what is accepted", () => {
  test("the design's file reads exactly as it stands", () => {
    expect(load(DESIGN, { SLUICE_ADMIN_TOKEN: "s3cret" })).toEqual(designed());
  });

  test("the design's values are the defaults, so colors alone are a configuration", () => {
    expect(load(COLORS)).toEqual({ ...DEFAULTS, state: designed().state });
  });

  test("JSON is read as well, indented by tabs too", () => {
    const path = write('{\n\t"colors": {\n\t\t"blue": {"weight": 1}\n\t}\n}', "sluice.json");
    expect(loadConfig(path, {}).colors).toEqual({ blue: { weight: 1, targets: [] } });
  });

  test("a section with nothing in it has its defaults", () => {
    expect(load(`${COLORS}health:\nadmin:\n`).health).toEqual(DEFAULTS.health);
  });

  test("state in memory keeps none", () => {
    expect(load(`${COLORS}state: memory`).state).toBeUndefined();
  });
});

describe("what is refused, in one message", () => {
  test("several problems stand one a line under the file's name", () => {
    const path = write(`${COLORS}helth: {}\nlisten: 1\nsplit: x\n`);
    const lines = refusal(path).message.split("\n");
    expect(lines[0]).toBe(`${path} has 3 problems:`);
    expect(lines.slice(1).every((line) => /^ {2}(helth|listen|split) is /.test(line))).toBe(true);
    expect(lines).toHaveLength(4);
  });
});

describe("files that are not a configuration", () => {
  test.each([
    ["", /^colors is missing; expected colors, such as/],
    ["# only a comment\n", /^colors is missing/],
    ["- a\n- b\n", /^the file is a list; expected a mapping of options/],
    ["hello", /^the file is "hello"; expected a mapping/],
    ["listen: :1\nlisten: :2\n", /^is not valid at line 2, column 1: the key listen is given twice\.$/],
    ["health:\n\tpath: /x\n", /line 2, column 1: a tab is used as indentation/],
    ["a: [1, 2", /line 1, column \d+: the indentation does not fit, or a bracket is not closed\.$/],
    ["listen: [::1]:80", /has to stand in quotes\.$/],
    ["admin: { token: ${A} }", /inside \{ \} and before \]: a value has to stand in quotes\.$/],
    ["a: 1\n---\nb: 2\n", /a second document begins; expected one/],
    ["? [a]\n: 1", /a key is not text/],
    [Buffer.from([0x61, 0x3a, 0x20, 0xff]), /^is not valid UTF-8/],
  ])("%j gets one sentence", (content, message) => {
    const found = problems(content);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  test("a file of more than 1 MiB is refused", () => {
    expect(problems(`${"#".repeat(1 << 20)}\n`)).toEqual(["is larger than 1 MiB; expected a configuration."]);
  });

  test("aliases that multiply are refused before they fill the memory", () => {
    const names = "abcdefghi".split("");
    const many = (of: string) => `[${Array(9).fill(of).join(",")}]`;
    const bomb = names.map((name, i) => `${name}: &${name} ${many(i ? `*${names[i - 1]}` : "x")}`).join("\n");
    expect(problems(bomb)).toEqual([expect.stringMatching(/^has more than 100 aliases/)]);
  });

  test("a missing file, a folder and a forbidden file get one sentence", () => {
    expect(refusal(join(folder, "nowhere.yaml")).message).toBe(
      `${join(folder, "nowhere.yaml")}: there is no such file.`,
    );
    expect(refusal(folder).message).toBe(`${folder}: is a folder; expected a file.`);
    const path = write(COLORS, "forbidden.yaml");
    chmodSync(path, 0);
    if (process.getuid?.() !== 0) expect(refusal(path).message).toContain("permission denied");
  });
});
