import { relative } from "node:path";
import { AdminClient } from "../admin-client.ts";
import type { State } from "../admin-types.ts";
import { formatShare } from "../format.ts";
import { paint } from "../output.ts";
import { SAMPLE_TRIP } from "../predict.ts";
import type { Plan } from "./plan.ts";
import { localUrl } from "./ready.ts";
import type { Supervised } from "./supervised.ts";

interface Model {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** Where everything is, and what to try. */
export async function welcome(plan: Plan, processes: readonly Supervised[]): Promise<string> {
  const admin = localUrl(plan.admin);
  const client = new AdminClient({ url: admin, token: plan.token });
  const { colors } = await client.call<State>("/admin/state");
  const models = await Promise.all(plan.models.map(({ address }) => fetchModel(localUrl(address))));
  const lines = plan.models.map(({ color, address }, index) => {
    const share = formatShare(colors.find(({ name }) => name === color)?.share ?? 0);
    const model = models[index] as Model;
    const pid = processes.find(({ name }) => name === color)?.pid;
    return row(
      color,
      localUrl(address),
      `${share} of requests, model ${model.version}, ${shorten(model.digest)}, pid ${pid}`,
    );
  });
  const docs = `docs ${admin}/admin/docs`;
  const logs = relative(process.cwd(), `${plan.folder}/log`) || ".";
  return [
    "",
    row("router", localUrl(plan.listen), ""),
    ...lines,
    row("admin", admin, docs),
    row("metrics", `${localUrl(plan.metrics)}/metrics`, ""),
    row("logs", logs, ""),
    "",
    "Try:",
    `  curl ${localUrl(plan.listen)}/api/predict/ -H 'Content-Type: application/json' -d '${JSON.stringify({ data: [SAMPLE_TRIP] })}'`,
    ...commands(plan),
    "",
    "Ctrl-C stops everything.",
    "",
  ].join("\n");
}

/** On other ports than the usual the verbs have to be told. */
function commands({ admin, listen }: Plan): string[] {
  const there = admin.port === 9900 ? "" : ` --admin ${localUrl(admin)}`;
  const url = listen.port === 8080 ? "" : ` --url ${localUrl(listen)}`;
  return [`predict -n 100${url}`, `status${there}`, `flip green${there}`, `rollback${there}`].map(
    (verb) => `  npm exec sluice -- ${verb}`,
  );
}

function row(name: string, url: string, rest: string): string {
  return `  ${paint("bold", name.padEnd(8))} ${url.padEnd(29)} ${paint("dim", rest)}`.trimEnd();
}

function shorten(digest: string): string {
  return digest.length > 20 ? `${digest.slice(0, 20)}…` : digest;
}

async function fetchModel(url: string): Promise<Model> {
  const response = await fetch(`${url}/model`, { signal: AbortSignal.timeout(5000) });
  return (await response.json()) as Model;
}
