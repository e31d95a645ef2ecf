import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { formatAddress } from "../../config/address.ts";
import type { Address, Config } from "../../config/config.ts";
import { loadConfig } from "../../config/load.ts";
import { type TargetProtocol, targetAddress } from "../../core/target-address.ts";
import { CliError } from "../errors.ts";
import type { UpOptions } from "../up.ts";
import { freePort } from "./ports.ts";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("../../../../../", import.meta.url));

export interface ModelPlan {
  readonly color: "blue" | "green";
  readonly version: string;
  readonly protocol: TargetProtocol;
  readonly artifact: string;
  readonly address: Address;
}

export interface Plan {
  readonly listen: Address;
  readonly admin: Address;
  readonly metrics: Address;
  readonly token: string | undefined;
  readonly models: readonly ModelPlan[];
  /** What the router is started with: the user's own file, or one in `folder` with other ports. */
  readonly configPath: string;
  /** Where relative paths in it start: the user's file is in there. */
  readonly relativeTo: string;
  readonly folder: string;
}

/** Who gets which port; nothing is started yet. */
export async function makePlan(options: UpOptions): Promise<Plan> {
  const path = resolve(options.config ?? join(ROOT, "sluice.yaml"));
  const folder = resolve(options.var ?? join(ROOT, "var"));
  const config = loadConfig(path, process.env);
  const listen = await claim(config.listen, options.port, "the router", "--port");
  const admin = await claim(config.admin.listen, options.adminPort, "the admin API", "--admin-port");
  const models = [
    await planModel(config, "blue", "1.0.0", options.bluePort),
    await planModel(config, "green", "1.0.1", options.greenPort),
  ];
  const metrics = config.metrics.listen === "admin" ? admin : config.metrics.listen;
  const token = config.admin.tokens.find(({ scope }) => scope !== "feedback")?.token;
  const plan = { listen, admin, metrics, token, models, folder, configPath: path, relativeTo: dirname(path) };
  mkdirSync(join(folder, "log"), { recursive: true });
  const { port, adminPort, bluePort, greenPort } = options;
  const moved = [port, adminPort, bluePort, greenPort, options.var].some((each) => each !== undefined);
  return moved ? { ...plan, configPath: writeMoved(plan) } : plan;
}

async function claim(
  address: Address,
  port: number | undefined,
  name: string,
  option: string,
): Promise<Address> {
  const wanted = { host: address.host, port: port ?? address.port };
  return { host: wanted.host, port: await freePort(wanted, { name, option }) };
}

async function planModel(
  { colors }: Config,
  color: ModelPlan["color"],
  version: string,
  port: number | undefined,
): Promise<ModelPlan> {
  const target = colors[color]?.targets[0];
  if (target === undefined)
    throw new CliError(`the configuration has no target for ${color}, which \`sluice up\` starts.`);
  const { protocol, ...asked } = targetAddress(target);
  const address = await claim(asked, port, `model API ${color}`, `--${color}-port`);
  return { color, version, protocol, artifact: join(ROOT, "artifacts", version, "model.json"), address };
}

/** The same configuration with other ports and another folder, written where the logs are. */
function writeMoved({ configPath, folder, listen, admin, models }: Plan): string {
  const document = parseDocument(readFileSync(configPath, "utf8"));
  document.set("listen", formatAddress(listen));
  document.setIn(["admin", "listen"], formatAddress(admin));
  document.set("state", join(folder, "sluice"));
  for (const { color, protocol, address } of models) {
    document.setIn(["colors", color, "targets"], [`${protocol}://${formatAddress(address)}`]);
  }
  const path = join(folder, "up.yaml");
  writeFileSync(path, `# Written by sluice up from ${configPath}\n${document}`, { mode: 0o600 });
  return path;
}
