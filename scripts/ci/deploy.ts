// Deploys an image to one environment with `sluice deploy`, on this machine or over SSH. `npm run ci:deploy`
// The command rolls back by itself; here that becomes the job's failure, with the reason in its summary.
import { need, PipelineProblem, script, setOutputs, summarize } from "./github.ts";
import { parseReference } from "./images-of.ts";
import { laterCommit } from "./newest.ts";
import { type Ended, run } from "./run.ts";
import { overSsh, quote, SSH_FAILED, withoutSecrets } from "./ssh.ts";

await script(async () => {
  const environment = need("DEPLOY_ENVIRONMENT", "staging or production", /^[A-Za-z0-9][\w.-]*$/);
  const image = need("DEPLOY_IMAGE", "the image to deploy");
  parseReference(image, "DEPLOY_IMAGE");
  const via = need("DEPLOY_VIA", "runner or ssh", /^(runner|ssh)$/);
  const command = commandOf(image);
  const later = process.env.DEPLOY_ONLY_NEWEST === "true" ? await laterCommit() : undefined;
  if (later) {
    summarize(
      `### Deploy to ${environment}\n\n⏭️ Not deployed: ${later} is newer, and its own release deploys.`,
    );
    setOutputs({ deployed: "false" });
    return 0;
  }
  const ended =
    via === "ssh" ? await overSsh(command) : await run("sh", ["-c", command], { env: withoutSecrets() });
  summarize([`### Deploy to ${environment}`, "", outcome(via, ended), "", `\`${image}\``].join("\n"));
  setOutputs({ deployed: String(ended.status === 0) });
  return ended.status;
});

/** For the shell of the machine where the router runs; every word that comes from outside is checked or quoted. */
function commandOf(image: string): string {
  const folder = need("DEPLOY_DIR", "the folder of compose.yaml on the machine, from /", /^\/[^\0\r\n]*$/);
  const digest = process.env.DEPLOY_EXPECT_DIGEST ?? "";
  if (!/^(sha256:[0-9a-f]{64})?$/.test(digest)) {
    throw new PipelineProblem(
      `DEPLOY_EXPECT_DIGEST is ${JSON.stringify(digest)}: expected sha256:<hex>, or nothing.`,
    );
  }
  const program = (process.env.DEPLOY_COMMAND || "sluice").split(/\s+/);
  const options = (process.env.DEPLOY_OPTIONS ?? "").split(/\s+/).filter((word) => word !== "");
  const expected = digest ? ["--expect-digest", digest] : [];
  const words = [...program, "deploy", "--image", image, ...expected, ...reason(), ...options];
  return `cd ${quote(folder)} && exec ${words.map(quote).join(" ")}`;
}

/** The run's address, for the history of the router. */
function reason(): string[] {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = process.env;
  return server && repository && id ? ["--reason", `${server}/${repository}/actions/runs/${id}`] : [];
}

function outcome(via: string, { status, stderr }: Ended): string {
  const reason = stderr.trim().split("\n").at(-1) || "it said nothing";
  if (status === 0) return "✅ Deployed.";
  if (via === "ssh" && status === SSH_FAILED) {
    return (
      `❌ The SSH connection failed or was lost, so how far the deploy came is not known here: ${reason}\n\n` +
      "The next deploy cleans up or finishes what this one began; `sluice status` on the machine shows what serves."
    );
  }
  if (status === 1) return `❌ Not deployed; \`sluice deploy\` rolls back by itself and says: ${reason}`;
  return `❌ \`sluice deploy\` ended with ${status}: ${reason}`;
}
