// Run by Dockerfile.api: `verify-model.ts FILE`. Proves the model that an image is about to carry, and that it is the one
// that the image's labels and name will say. A build that claims anything else ends here.
//   MODEL_VERSION  the label's version
//   MODEL_DIGEST   the label's digest; empty: none is claimed
//   IMAGE          the image's name, if the builder knows it; its tag has to be the model's version
import { readFileSync } from "node:fs";
import { loadModel } from "@sluice/model";

const { MODEL_VERSION = "", MODEL_DIGEST = "", IMAGE = "" } = process.env;

function verify(file: string): string {
  const { artifact } = loadModel(readFileSync(file, "utf8"));
  const { name, version, digest } = artifact;
  if (version !== MODEL_VERSION)
    throw new Error(`the model is version ${version}, and the image would be labeled ${MODEL_VERSION}`);
  if (MODEL_DIGEST !== "" && digest !== MODEL_DIGEST)
    throw new Error(`the model's digest is ${digest}, and the image would be labeled ${MODEL_DIGEST}`);
  const tag = version.replaceAll("+", "_"); // which a tag cannot hold
  if (IMAGE !== "" && !IMAGE.endsWith(`:${tag}`))
    throw new Error(
      `the image would be named ${IMAGE}, and hold ${name} ${version}; expected a name that ends in :${tag}. ` +
        "If it is a released image, pull it instead of building it",
    );
  return `${name} ${version} ${digest}`;
}

try {
  console.log(verify(process.argv[2] ?? ""));
} catch (error) {
  console.error(`verify-model: ${(error as Error).message}.`);
  process.exitCode = 1;
}
