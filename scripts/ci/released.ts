// The summary of a release: the images by digest, as `Deploy` takes them. `npm run ci:released`
import { need, script, summarize } from "./github.ts";
import { parseReference } from "./images-of.ts";

await script(() => {
  const rows = ["ROUTER_IMAGE", "API_IMAGE"].map((name) => {
    const image = need(name, "an image with its digest");
    parseReference(image, name);
    return `- \`${image}\``;
  });
  const digest = need("MODEL_DIGEST", "the model's digest, sha256:<hex>", /^sha256:[0-9a-f]{64}$/);
  summarize(["### Images", "", ...rows, "", `The model's digest is \`${digest}\`.`].join("\n"));
  return 0;
});
