/** The page: links only, since its policy forbids inline script. `base` is the last segment of its own path. */
export function page(title: string, base: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${base}/swagger-ui.css">
<link rel="icon" type="image/png" href="${base}/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; the description itself is JSON.</noscript>
<script src="${base}/swagger-ui-bundle.js"></script>
<script src="${base}/init.js"></script>
</body>
</html>
`;
}

/** Starts Swagger UI. Its validator badge would send the document's address to a service elsewhere: off. */
export function initScript(openapiUrl: string): string {
  const options = { url: openapiUrl, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null };
  return `SwaggerUIBundle(${JSON.stringify(options)});\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
