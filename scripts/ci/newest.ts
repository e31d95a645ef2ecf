import { need, PipelineProblem } from "./github.ts";

/**
 * The branch's newest commit, if it is not the one of this run: then a later release deploys, and an earlier one that
 * took longer must not follow it. Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME, GITHUB_SHA, GITHUB_TOKEN.
 * @throws PipelineProblem if GitHub does not say.
 */
export async function laterCommit(): Promise<string | undefined> {
  const api = need("GITHUB_API_URL", "the address of GitHub's API", /^https?:\/\//);
  const branch = encodeURIComponent(need("GITHUB_REF_NAME", "the branch"));
  const repository = need("GITHUB_REPOSITORY", "OWNER/REPOSITORY", /^[\w.-]+\/[\w.-]+$/);
  const url = `${api}/repos/${repository}/commits/${branch}`;
  const headers = {
    Accept: "application/vnd.github.sha",
    Authorization: `Bearer ${need("GITHUB_TOKEN", "the job's token")}`,
  };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) }).catch((error: Error) => {
    throw new PipelineProblem(`${url} cannot be asked for the newest commit: ${error.message}.`);
  });
  const newest = (await answer.text()).trim();
  if (!answer.ok || !/^[0-9a-f]{40}$/.test(newest)) {
    throw new PipelineProblem(`${url} answered ${answer.status} and no commit: expected the newest one.`);
  }
  return newest === need("GITHUB_SHA", "the commit") ? undefined : newest;
}
