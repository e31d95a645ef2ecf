// `npm run compose`: compose, whichever this machine has, in the project's folder. Without arguments it brings everything
// up in the background, waits until the router is healthy, and says where it is.
import { spawn, spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findCompose, whyNoEngine } from "./engine.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const compose = findCompose();
const why =
  whyNoEngine() ??
  (compose ? undefined : "Compose is not installed: expected `docker compose` or docker-compose.");
if (why || !compose) {
  console.error(`compose: ${why}`);
  process.exitCode = 1;
} else {
  const args = process.argv.slice(2);
  process.exitCode = args.length > 0 ? await run(compose, args) : await up(compose);
}

/** Runs compose on this terminal; resolves with its exit code. Ctrl-C is compose's to handle. */
function run([command, ...words]: readonly string[], args: readonly string[]): Promise<number> {
  process.on("SIGINT", () => {});
  const child = spawn(command!, [...words, ...args], { cwd: root, stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

async function up(compose: readonly string[]): Promise<number> {
  const code = await run(compose, ["up", "--detach"]);
  if (code !== 0) return code;
  const health = await untilJudged(compose);
  if (health !== "healthy") {
    console.error(`compose: the router is ${health}; \`npm run compose -- logs router\` says why.`);
    return 1;
  }
  const at = (port: number) => ask(compose, ["port", "router", String(port)]);
  const token = tokenFile(ask(compose, ["ps", "-q", "router"]));
  console.log(`
  router   http://${at(8080).replace("0.0.0.0", "127.0.0.1")}
  admin    http://${at(9900)}

  npm exec -- sluice status --token-file ${token}
  npm run compose -- down`);
  return 0;
}

/** Where this machine has the admin token: in the folder that the router sees as /run/secrets. */
function tokenFile(router: string): string {
  const format = '{{range .Mounts}}{{if eq .Destination "/run/secrets"}}{{.Source}}{{end}}{{end}}';
  const { stdout } = spawnSync("docker", ["inspect", "--format", format, router], { encoding: "utf8" });
  return relative(root, join(stdout.trim(), "admin-token"));
}

/** The router's health once it is no longer starting, or how its container ended. */
async function untilJudged(compose: readonly string[]): Promise<string> {
  const id = ask(compose, ["ps", "-q", "router"]);
  for (;;) {
    const format = "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}";
    const { status, stdout } = spawnSync("docker", ["inspect", "--format", format, id], { encoding: "utf8" });
    const [state, health] = status === 0 ? stdout.trim().split(" ") : ["gone"];
    if (state !== "running") return state!;
    if (health !== "starting") return health ?? "without a healthcheck";
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function ask([command, ...words]: readonly string[], args: readonly string[]): string {
  return spawnSync(command!, [...words, ...args], { cwd: root, encoding: "utf8" }).stdout.trim();
}
