// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what these files contain
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../test/support/default-config.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { loadConfig } from "./load.ts";

const COLORS = 'colors: { blue: { weight: 1, targets: ["http://127.0.0.1:8001"] } }\n';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(content: string | Buffer, name = "sluice.yaml"): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function load(content: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig(write(content), env);
}

/** The problems, without the file's name. */
function problems(content: string | Buffer, env: NodeJS.ProcessEnv = {}): string[] {
  return refusal(write(content), env).problems.map(({ message }) => message);
}

function refusal(path: string, env: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    loadConfig(path, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

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

  test("a color may have no target yet, and colors keep the file's order", () => {
    expect(
      Object.keys(load("colors: { zebra: { weight: 1 }, v1-0: { weight: 0 }, apple: { weight: 2 } }").colors),
    ).toEqual(["zebra", "v1-0", "apple"]);
  });

  test("a section with nothing in it has its defaults", () => {
    expect(load(`${COLORS}health:\nadmin:\n`).health).toEqual(DEFAULTS.health);
  });

  test("targets are normalised", () => {
    const targets = '["HTTP://LocalHost:8001/", "http://10.0.0.1:80", "http://[::1]:9000"]';
    expect(load(`colors: { blue: { weight: 1, targets: ${targets} } }`).colors.blue?.targets).toEqual([
      "http://localhost:8001",
      "http://10.0.0.1",
      "http://[::1]:9000",
    ]);
  });

  test.each([
    ["{ cookie: sid }", { kind: "cookie", name: "sid" }],
    ["{ header: X-User }", { kind: "header", name: "x-user" }],
    ["{ query: user id }", { kind: "query", name: "user id" }],
  ])("affinity may be %s", (yaml, expected) => {
    expect(load(`${COLORS}affinity: ${yaml}`).affinity).toEqual(expected);
  });

  test("override by a header is the default, believed from ranges that are normalised", () => {
    expect(load(`${COLORS}override: { from: [10.1.2.3/8, 192.0.2.7, "2001:db8::1"] }`).override).toEqual({
      header: "x-sluice-color",
      cookie: undefined,
      from: ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::1/128"],
      secret: undefined,
    });
    expect(load(`${COLORS}override: { cookie: c, secret: abc }`).override).toEqual({
      header: undefined,
      cookie: "c",
      from: [],
      secret: "abc",
    });
  });

  test.each([
    ["204", [[204, 204]]],
    [
      "200-299,304",
      [
        [200, 299],
        [304, 304],
      ],
    ],
    [
      "[200, 300-399]",
      [
        [200, 200],
        [300, 399],
      ],
    ],
  ])("health.status may be %s", (yaml, expected) => {
    expect(
      load(`${COLORS}health: { status: ${yaml.startsWith("[") ? yaml : `"${yaml}"`} }`).health.status,
    ).toEqual(expected);
  });

  test("retry.on takes status codes as numbers, and paths with a whole-segment *", () => {
    const { retry } = load(
      `${COLORS}retry: { on: [timeout, 502], idempotent_paths: [/api/predict/, /v2/models/*/infer] }`,
    );
    expect(retry.on).toEqual(["timeout", "502"]);
    expect(retry.idempotent_paths).toEqual(["/api/predict/", "/v2/models/*/infer"]);
  });

  test("hedge, metrics on its own address and the log are read", () => {
    const config = load(
      `${COLORS}hedge: { max: 0.1 }\nmetrics: { listen: ":0" }\nlog: { level: debug, access: off }`,
    );
    expect(config.hedge).toEqual({ after: "p95", max: 0.1 });
    expect(config.metrics.listen).toEqual({ host: "0.0.0.0", port: 0 });
    expect(config.log).toEqual({ level: "debug", access: "off" });
  });

  test("state in memory keeps none", () => {
    expect(load(`${COLORS}state: memory`).state).toBeUndefined();
  });
});

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

describe("tokens", () => {
  test("come from values and from files beside the configuration, trimmed, each with its scope", () => {
    write("abc\n", "token");
    const tokens = "tokens: [{ token: r, scope: read }, { token: f, scope: feedback }]";
    expect(load(`${COLORS}admin: { token_file: token, ${tokens} }`).admin.tokens).toEqual([
      { token: "abc", scope: "all" },
      { token: "r", scope: "read" },
      { token: "f", scope: "feedback" },
    ]);
  });

  test("a file that is missing, empty or a folder gets a sentence", () => {
    write(" \n", "empty");
    mkdirSync(join(folder, "dir"), { recursive: true });
    expect(problems(`${COLORS}admin: { token_file: nowhere }`)).toEqual([
      'admin.token_file is "nowhere", and there is no such file; expected a file that holds a token.',
    ]);
    expect(problems(`${COLORS}admin: { token_file: empty }`)[0]).toContain("which is empty");
    expect(problems(`${COLORS}admin: { tokens: [{ token_file: dir, scope: read }] }`)).toEqual([
      'admin.tokens[0].token_file is "dir", and it is a folder; expected a file that holds a token.',
    ]);
  });

  test("two ways, no way, or the same token twice are refused", () => {
    expect(problems(`${COLORS}admin: { token: a, token_file: b }`)[0]).toContain("expected one of them");
    expect(problems(`${COLORS}admin: { tokens: [{ scope: read }] }`)[0]).toContain(
      "admin.tokens[0] has no token",
    );
    expect(problems(`${COLORS}admin: { token: same, tokens: [{ token: same, scope: read }] }`)[0]).toBe(
      "admin.tokens[0] has the same token as another; expected one of its own.",
    );
    expect(problems(`${COLORS}admin: { tokens: [{ token: a, scope: root }] }`)[0]).toBe(
      'admin.tokens[0].scope is "root"; expected read, operate or feedback.',
    );
  });

  test.each([
    ["admin: { token: 'hunter 2' }", {}],
    ["admin: { token: [hunter2] }", {}],
    ["admin: { tokens: [hunter2] }", {}],
    ["admin: { tokens: hunter2 }", {}],
    ["admin: hunter2", {}],
    ["admin:\n  token: *hunter2", {}],
    ["admin:\n  token: !hunter2 x", {}],
    ["admin:\n  token: a: hunter2", {}],
    ['admin:\n  token: "hunter2', {}],
    ["admin: { token: '${T}' }", { T: "hunter2 " }],
    ["override: { secret: 'hunter2 ' }", {}],
    ["trusted_proxies: [http://me:hunter2@10.0.0.1]", {}],
    ["listen: '${API_KEY}'", { API_KEY: "hunter2" }],
  ])("a secret is never in the message of %j", (yaml, env) => {
    const message = refusal(write(`${COLORS}${yaml}\n`), env).message;
    expect(message).not.toMatch(/hunter/);
    expect(message.split("\n")).toHaveLength(1);
  });
});

describe("what is refused, in one message", () => {
  test.each([
    [
      "health: { interval: 2 }",
      /^health\.interval is 2; expected a duration with its unit, such as 500ms, 2s/,
    ],
    ["health: { interval: 0s }", /of at least 1ms/],
    ["health: { interval: 30d }", /^health.interval is "30d"; expected a duration/],
    ["timeouts: { drain: 900h }", /at most 24 days/],
    ["health: { jitter: 1.5 }", /^health\.jitter is 1\.5; expected a share between 0 and 1\.$/],
    ["health: { rise: 0 }", /^health\.rise is 0; expected a whole number from 1 to 1000\.$/],
    ["health: { path: ready }", /^health\.path is "ready"; expected a path that begins with \//],
    ["health: { status: 299-200 }", /^health\.status is "299-200"; expected status codes/],
    ["health: yes", /^health is "yes"; expected a section of options\.$/],
    ["limits: { body: 1000 }", /^limits\.body is 1000; expected a size with its unit/],
    ["limits: { body: 10Mb }", /^limits\.body is "10Mb"; expected a size/],
    ["limits: { body: 0 }", /of at least 1B/],
    ["listen: 8080", /^listen is 8080; expected an address such as/],
    ["listen: 300.1.1.1:80", /^listen is "300\.1\.1\.1:80"; expected/],
    ["listen: ::1:80", /^listen is "::1:80"; expected/],
    ["listen: a:99999", /a port of at most 65535/],
    ["listen:", /^listen is empty; expected/],
    ["engine: nginx", /^engine is "nginx"; expected wire or http-proxy\.$/],
    ["workers: many", /^workers is "many"; expected auto, or a whole number from 1 to 256\.$/],
    ["workers: 0", /^workers is 0; expected auto, or a whole number from 1 to 256\.$/],
    ["workers: 1.5", /^workers is 1\.5; expected auto/],
    ["split: exakt", /^split is "exakt"; expected random or exact\.$/],
    ["failover: yes", /^failover is "yes"; expected true or false\.$/],
    ["affinity: cookie", /^affinity is "cookie"; expected none, \{ cookie: NAME \}/],
    ["affinity: { cookie: a, header: b }", /^affinity is a mapping; expected none/],
    ["affinity: { cookie: 'a b' }", /valid name of a cookie/],
    ["override: { header: X-A }", /^override has neither from nor secret, so anyone could choose/],
    ["override: yes", /^override is "yes"; expected none or \{ header/],
    ["override: { form: [] }", /^override\.form is not an option; did you mean override\.from\?$/],
    ["trusted_proxies: [10.0.0.0/33]", /^trusted_proxies\[0\] is "10\.0\.0\.0\/33"; expected a range/],
    ["trusted_proxies: [10.1/8]", /^trusted_proxies\[0\] is "10\.1\/8"; expected a range/],
    ["trusted_proxies: 10.0.0.0/8", /expected a list of ranges of addresses, in brackets\.$/],
    ["retry: { on: [502, 500] }", /^retry\.on\[1\] is 500; expected connect, reset/],
    ["retry: { idempotent_paths: [/a*] }", /\* stands for one whole segment/],
    ["retry: { attempts: 1.5 }", /^retry\.attempts is 1\.5; expected a whole number from 0 to 10\.$/],
    ["feedback: { max: 7 }", /^feedback\.max is 7; expected a whole number from 8 to 10000000\.$/],
    ["feedback: { remember: 24 }", /^feedback\.remember is 24; expected a duration with its unit/],
    ["feedback: { sample: 0 }", /^feedback\.sample is 0; expected a share above 0 and up to 1\.$/],
    ["feedback: all", /^feedback is "all"; expected none or \{ remember: 24h/],
    ["predictions: fare_amount", /^predictions is "fare_amount"; expected none, a JSON Pointer such as/],
    ["predictions: /predictions/*/fare_amount", /retry\.idempotent_paths names no path whose answers/],
    [
      "predictions: { at: /y, range: [5, 1], paths: [/p] }",
      /^predictions\.range is .*expected none, or the least/,
    ],
    ["predictions: { range: [1, 5] }", /^predictions\.at is missing/],
    ["shadow: { slices: [{ field: /a, buckets: [2, 1] }] }", /^shadow\.slices\[0\]\.buckets is .*rising/],
    ["shadow: { rate: 0 }", /^shadow\.rate is 0; expected a whole number from 1 to 100000\.$/],
    ["hedge: { after: p99 }", /^hedge\.after is "p99"; expected p95\.$/],
    ["metrics: { listen: prometheus }", /^metrics\.listen is "prometheus"; expected admin, or an address/],
    [
      "metrics: { listen: 127.0.0.1:9900 }",
      /^metrics\.listen is 127\.0\.0\.1:9900, which admin\.listen .* already takes/,
    ],
    [
      "admin: { listen: 127.0.0.1:8080 }",
      /^admin\.listen is 127\.0\.0\.1:8080, which listen \(0\.0\.0\.0:8080\) already takes/,
    ],
    ["metrics: { listen: 0.0.0.0:9900 }", /^metrics\.listen is 0\.0\.0\.0:9900, which admin\.listen/],
    [
      "admin: { listen: :8080, token: a }",
      /^admin\.listen is 0\.0\.0\.0:8080, which listen \(0\.0\.0\.0:8080\) already takes/,
    ],
    [
      "admin: { listen: 0.0.0.0:9900 }",
      /^admin\.listen is 0\.0\.0\.0:9900, which other machines can reach; expected a loopback address/,
    ],
    ["log: { level: loud }", /^log\.level is "loud"; expected trace, debug/],
    ["log: { access: some }", /^log\.access is "some"; expected all, errors or off\.$/],
    ["helth: {}", /^helth is not an option; did you mean health\?$/],
    ["health: { intervall: 1s }", /^health\.intervall is not an option; did you mean health\.interval\?$/],
    ["interval: 1s", /^interval is not an option; did you mean health\.interval\?$/],
    ["metrics: { port: 1 }", /^metrics\.port is not an option; expected one of listen\.$/],
    ["__proto__: { x: 1 }", /^__proto__ is not an option/],
  ])("%s", (yaml, message) => {
    const found = problems(`${COLORS}${yaml}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

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
