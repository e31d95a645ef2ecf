// What the scripts and the container tests know of the Docker engine and of compose on this machine.
import { spawnSync } from "node:child_process";

/** A command's output, trimmed; undefined when it is not there or fails. */
function outputOf(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Why no Docker engine can be used, as a sentence; undefined when one answers. */
export function whyNoEngine(): string | undefined {
  const { error, status, stderr } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    encoding: "utf8",
  });
  if (error) return "The command docker is not installed.";
  if (status === 0) return undefined;
  const reason = stderr
    .trim()
    .split(/\n|\. /)[0]
    ?.replace(/\.$/, "");
  return `The Docker engine does not answer${reason ? `: ${reason}` : ""}.`;
}

/** The words that start compose: v2 (`docker compose`) if it is there, else docker-compose 1.29; undefined without any. */
export function findCompose(): readonly string[] | undefined {
  const kinds = [["docker", "compose"], ["docker-compose"]] as const;
  return kinds.find(([command, ...words]) => outputOf(command, [...words, "version"]) !== undefined);
}

/** The commit that the working tree is at, with its date; nothing outside of git. */
export function gitFacts(root: string): { readonly revision: string; readonly created: string } {
  const git = (...args: string[]) => outputOf("git", ["-C", root, ...args]);
  const commit = git("rev-parse", "HEAD") ?? "";
  const dirty = commit !== "" && git("status", "--porcelain") !== "";
  const created = commit === "" ? "" : (git("show", "-s", "--format=%cI", "HEAD") ?? "");
  return { revision: dirty ? `${commit}-dirty` : commit, created };
}
