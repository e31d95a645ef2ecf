// Tags the image that an environment now serves with the environment's name; the quality gate compares with that.
// `npm run ci:in-service`
import { need, PipelineProblem, script, summarize } from "./github.ts";
import { imageNames, parseReference } from "./images-of.ts";
import { run } from "./run.ts";

await script(async () => {
  const environment = need("DEPLOY_ENVIRONMENT", "staging or production", /^[A-Za-z0-9][\w.-]*$/);
  const image = need("DEPLOY_IMAGE", "the image that was deployed");
  const { name } = parseReference(image, "DEPLOY_IMAGE");
  const { api } = imageNames();
  if (name !== api) {
    throw new PipelineProblem(
      `${image} is not an image of this repository (${api}), so it cannot be tagged as in service.`,
    );
  }
  const tag = `${name}:${environment}`;
  const { status } = await run("docker", ["buildx", "imagetools", "create", "--tag", tag, image]);
  if (status === 0) summarize(`In service in ${environment}: \`${tag}\` is now \`${image}\`.`);
  return status;
});
