import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { Child, rootPath } from "../../apps/router/test/support/child.ts";
import { temporaryFolder, untilAnswers } from "../../apps/router/test/support/running-router.ts";
import { refusedPort } from "../../apps/router/test/support/upstream.ts";
import { PROMETHEUS, readYaml } from "./files.ts";

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: number, value: string])[];
}

/** What compose.yaml switches on. */
const FLAGS = (
  readYaml(rootPath("compose.yaml")) as { services: { prometheus: { command: string[] } } }
).services.prometheus.command.filter((flag) => flag.startsWith("--enable-feature="));

/** A real Prometheus with the folder's configuration and rules, that scrapes and evaluates every second. */
export class RunningPrometheus {
  readonly url: string;
  readonly #began = Date.now() / 1000;

  private constructor(url: string) {
    this.url = url;
  }

  /** @param targets addresses by the name of their file in `targets/` */
  static async start(targets: Readonly<Record<string, readonly string[]>>): Promise<RunningPrometheus> {
    const folder = temporaryFolder();
    cpSync(PROMETHEUS, folder, { recursive: true });
    const config = readYaml(join(folder, "prometheus.yml")) as { global: Record<string, string> };
    config.global = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
    writeFileSync(join(folder, "prometheus.yml"), stringify(config));
    for (const [file, addresses] of Object.entries(targets))
      writeFileSync(join(folder, "targets", file), stringify([{ targets: addresses }]));
    const address = `127.0.0.1:${await refusedPort()}`;
    const child = new Child("prometheus", [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      ...FLAGS,
    ]);
    await untilAnswers(`http://${address}/-/ready`, child);
    return new RunningPrometheus(`http://${address}`);
  }

  /** Every series of an expression from the start until now, a point a second. @throws Error with Prometheus' reason */
  async range(expr: string): Promise<readonly Series[]> {
    const window = { start: String(this.#began), end: String(Date.now() / 1000), step: "1" };
    const body = new URLSearchParams({ query: expr, ...window });
    const answer = await fetch(`${this.url}/api/v1/query_range`, { method: "POST", body });
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: Series[] };
    };
    if (status !== "success") throw new Error(`Prometheus refuses ${expr}: ${error}`);
    return data.result;
  }

  /** True when the expression has a number somewhere. */
  async hasData(expr: string): Promise<boolean> {
    const found = await this.range(expr);
    return found.some(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));
  }

  /** The trace ids of an expression's exemplars. */
  async exemplars(expr: string): Promise<readonly string[]> {
    const window = { start: String(this.#began), end: String(Date.now() / 1000) };
    const query = new URLSearchParams({ query: expr, ...window });
    const answer = await fetch(`${this.url}/api/v1/query_exemplars?${query}`);
    const { data } = (await answer.json()) as {
      data: { exemplars: { labels: { trace_id: string } }[] }[];
    };
    return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
  }

  /** Rules whose last evaluation failed, with the reason. */
  async brokenRules(): Promise<readonly string[]> {
    const answer = await fetch(`${this.url}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    return data.groups
      .flatMap(({ rules }) => rules)
      .filter(({ health }) => health !== "ok")
      .map(({ name, health, lastError }) => `${name}: ${lastError ?? health}`);
  }
}
