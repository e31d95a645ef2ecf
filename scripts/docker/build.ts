// `npm run docker:build`: trains the two demo models, and builds the router's image and one image of the model API for
// each, with the labels that only a trained model can fill in.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gitFacts, whyNoEngine } from "./engine.ts";

const { SLUICE_IMAGE_PREFIX = "", SLUICE_BUILD_NETWORK, INIT_CWD } = process.env;
const root = fileURLToPath(new URL("../..", import.meta.url));

const HELP = `Usage: npm run docker:build -- [options]

Builds sluice-router and, after training, sluice-api:1.0.0 and sluice-api:1.0.1.

  --only router|api    only this kind of image
  --model FILE         an API image for this model.json under artifacts/ instead of the demo's; may be repeated
  --prefix PREFIX      begins every image's name, such as ghcr.io/acme/ (env SLUICE_IMAGE_PREFIX)
  --version VERSION    the router image's version and second tag (default: package.json's)
  --source URL         label org.opencontainers.image.source
  --revision COMMIT    label org.opencontainers.image.revision (default: git's)
  --network NETWORK    which network the builds use (env SLUICE_BUILD_NETWORK)`;

/** A mistake of the caller's, said in one sentence. */
class BuildError extends Error {}

interface Image {
  readonly file: string;
  readonly tags: readonly string[];
  readonly args: Readonly<Record<string, string>>;
}

function readFlags() {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      options: {
        only: text,
        model: { type: "string", multiple: true },
        prefix: { type: "string", default: SLUICE_IMAGE_PREFIX },
        version: text,
        source: { type: "string", default: "" },
        revision: text,
        network: text,
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new BuildError(`${(error as Error).message.split(/\.\s/)[0]}; --help lists the options.`);
  }
}

function main(): void {
  const flags = readFlags();
  if (flags.help) return console.log(HELP);
  const { only } = flags;
  if (only !== undefined && only !== "router" && only !== "api")
    throw new BuildError(`--only is ${JSON.stringify(only)}: expected router or api.`);
  const why = whyNoEngine();
  if (why) throw new BuildError(why);
  const git = gitFacts(root);
  const common = { REVISION: flags.revision ?? git.revision, CREATED: git.created, SOURCE: flags.source };
  const images: Image[] = [];
  if (only !== "api") images.push(routerImage(flags.prefix, flags.version ?? packageVersion()));
  if (only !== "router") images.push(...modelFiles(flags.model).map((file) => apiImage(flags.prefix, file)));
  const network = flags.network ?? SLUICE_BUILD_NETWORK;
  for (const image of images) build(image, common, network);
}

function routerImage(prefix: string, version: string): Image {
  const name = `${prefix}sluice-router`;
  return {
    file: "Dockerfile.router",
    tags: [`${name}:${version}`, `${name}:latest`],
    args: { VERSION: version },
  };
}

function apiImage(prefix: string, file: string): Image {
  const { version, digest } = readIdentity(file);
  const model = relative(root, file).split(sep).join("/");
  return {
    file: "Dockerfile.api",
    tags: [`${prefix}sluice-api:${version.replaceAll("+", "_")}`], // a tag cannot hold a +
    args: { MODEL: model, MODEL_VERSION: version, MODEL_DIGEST: digest },
  };
}

/** The models to build images of: those that were named, else the demo's two, trained now. */
function modelFiles(named: readonly string[] | undefined): string[] {
  if (named) return named.map(inContext);
  run(process.execPath, ["training/src/cli/train.ts"]);
  return ["1.0.0", "1.0.1"].map((version) => join(root, "artifacts", version, "model.json"));
}

/** `.dockerignore` lets these through and nothing else. */
function inContext(file: string): string {
  const path = resolve(INIT_CWD ?? root, file);
  if (/^artifacts[/\\][^/\\]+[/\\]model\.json$/.test(relative(root, path))) return path;
  throw new BuildError(
    `--model is ${JSON.stringify(file)}: expected artifacts/NAME/model.json in this project.`,
  );
}

/** What the artifact says of itself; the build proves it. */
function readIdentity(file: string): { readonly version: string; readonly digest: string } {
  const name = relative(root, file);
  try {
    const { version, digest } = JSON.parse(readFileSync(file, "utf8"));
    if (typeof version === "string" && typeof digest === "string") return { version, digest };
  } catch (error) {
    throw new BuildError(`${name} cannot be read: ${(error as Error).message}.`);
  }
  throw new BuildError(`${name} is no model: expected a version and a digest in it.`);
}

function packageVersion(): string {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}

function build(image: Image, common: Readonly<Record<string, string>>, network: string | undefined): void {
  const args = ["build", "--file", image.file];
  if (network) args.push("--network", network);
  for (const [name, value] of Object.entries({ ...image.args, ...common }))
    args.push("--build-arg", `${name}=${value}`);
  for (const tag of image.tags) args.push("--tag", tag);
  run("docker", [...args, "."]);
  console.log(`built ${image.tags.join(", ")} ${image.args.MODEL_DIGEST ?? ""}`.trim());
}

function run(command: string, args: readonly string[]): void {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status === 0) return;
  const how = error?.message ?? (signal ? `was ended by ${signal}` : `ended with ${status}`);
  throw new BuildError(`${command} ${args[0]} failed: ${how}. Its last lines say why.`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`docker:build: ${error.message}`);
  process.exitCode = 1;
}
