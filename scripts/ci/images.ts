// Decides what a release's images are called and what goes into them: outputs of the step. `npm run ci:images`
import { readFileSync } from "node:fs";
import { gitFacts } from "../docker/engine.ts";
import { need, script, setOutputs } from "./github.ts";
import { imageNames } from "./images-of.ts";
import { candidateOf } from "./models.ts";

await script(() => {
  const revision = need("GITHUB_SHA", "the commit's 40 hexadecimal digits", /^[0-9a-f]{40}$/);
  const { router, api } = imageNames();
  const model = candidateOf("artifacts");
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const server = process.env.GITHUB_SERVER_URL || "https://github.com";
  setOutputs({
    revision,
    created: gitFacts(".").created,
    source: `${server}/${process.env.GITHUB_REPOSITORY}`,
    router,
    router_version: version,
    router_tags: tags(router, revision, version),
    api,
    api_tags: tags(api, revision, model.version),
    model: model.path,
    model_version: model.version,
    model_digest: model.digest,
  });
  return 0;
});

/** A tag cannot hold the + of a version's build part. */
function tags(name: string, revision: string, version: string): string {
  return [revision, version.replaceAll("+", "_")].map((tag) => `${name}:${tag}`).join(",");
}
