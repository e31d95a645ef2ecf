import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { need, PipelineProblem } from "./github.ts";
import { type Ended, run } from "./run.ts";

/** What ssh ends with when it, and not the command, has failed. */
export const SSH_FAILED = 255;

/**
 * Runs a shell command on another machine, whose host key must be the known one. Reads SSH_HOST, SSH_USER, SSH_PORT (22),
 * SSH_KNOWN_HOSTS and SSH_PRIVATE_KEY; the key is on the disk, for this user alone, only as long as the command runs.
 * @throws PipelineProblem for a variable that is missing or malformed.
 */
export async function overSsh(command: string): Promise<Ended> {
  const host = need("SSH_HOST", "the machine's name or address", /^[A-Za-z0-9][\w.:-]*$/);
  const user = need("SSH_USER", "the user to log in as", /^[a-z_][\w.-]*$/);
  const port = process.env.SSH_PORT || "22";
  if (!/^\d{1,5}$/.test(port))
    throw new PipelineProblem(`SSH_PORT is ${JSON.stringify(port)}: expected a number.`);
  const known = need(
    "SSH_KNOWN_HOSTS",
    "the output of ssh-keyscan for the machine, checked",
    /^[^#\s]\S* \S+ \S+/m,
  );
  const key = secretKey();
  const folder = mkdtempSync(join(tmpdir(), "sluice-deploy-"));
  try {
    writeFileSync(join(folder, "key"), `${key.trim()}\n`, { mode: 0o600 });
    writeFileSync(join(folder, "known_hosts"), `${known.trim()}\n`, { mode: 0o600 });
    const options = [
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${join(folder, "known_hosts")}`,
      "GlobalKnownHostsFile=/dev/null",
      "ConnectTimeout=20",
      // A deploy may be silent for as long as it drains; a dead connection must not be taken for that.
      "ServerAliveInterval=15",
      "ServerAliveCountMax=4",
    ].flatMap((option) => ["-o", option]);
    const login = ["-i", join(folder, "key"), "-p", port, "--", `${user}@${host}`];
    return await run("ssh", ["-F", "/dev/null", ...options, ...login, command], { env: withoutSecrets() });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Never part of a message, whatever is wrong with it. */
function secretKey(): string {
  const key = process.env.SSH_PRIVATE_KEY ?? "";
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.trim())) return key;
  const found = key === "" ? "is not set" : "does not look like one";
  throw new PipelineProblem(`SSH_PRIVATE_KEY ${found}: expected a private key in PEM or OpenSSH form.`);
}

/** The environment for programs that have no business with the key. */
export function withoutSecrets(): NodeJS.ProcessEnv {
  const { SSH_PRIVATE_KEY: _key, GITHUB_TOKEN: _token, ...rest } = process.env;
  return rest;
}

/** One word of a POSIX shell's command line. */
export const quote = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
