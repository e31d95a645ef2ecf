import { allOptions, type Option } from "./options.ts";

/** Every option with its default, unit and meaning, as a Markdown table. */
export function configurationTable(): string {
  const rows = allOptions().map((option) => [
    `\`${option.key}\``,
    defaultOf(option),
    option.unit ?? "",
    option.about,
  ]);
  const cells = [["option", "default", "unit", "meaning"], ["---", "---", "---", "---"], ...rows];
  return cells.map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

function defaultOf({ default: value, required }: Option): string {
  if (required) return "required";
  if (value === undefined) return "";
  return `\`${Array.isArray(value) ? `[${value.join(", ")}]` : String(value)}\``;
}

/** The whole of docs/configuration.md. */
export function configurationPage(): string {
  return `# Configuration

<!-- Written by \`npm exec sluice -- check --table\`; a test compares. Change apps/router/src/config instead. -->

\`sluice serve --config FILE\` reads YAML or JSON. \`sluice check --config FILE\` only says what is wrong with it. A mistake
stops the start with one message that lists every problem; \`SIGHUP\` re-reads the file, and a bad file changes nothing.

- **Durations** have a unit: \`500ms\`, \`2s\`, \`10m\`, \`1h\`. **Sizes** too: \`512B\`, \`16KiB\` (1024), \`10MB\` (1000).
- **Addresses** are \`127.0.0.1:8080\`, \`[::1]:8080\` (in quotes, because of YAML), \`localhost:8080\`, or \`:8080\` for every IPv4
  address; port 0 lets the system choose.
- **Shares** lie between 0 and 1. **CIDRs** are \`10.0.0.0/8\`, \`fd00::/8\` or a single address.
- **\`\${NAME}\`** in any value is replaced by the environment's; a name that it does not have stops the start. \`$\${\` stands for
  a plain \`\${\`. Inside \`{ }\` and \`[ ]\` it has to stand in quotes.
- **Relative paths** start at the file's folder, or where \`--relative-to\` says.
- **Color names** are up to 32 lower-case letters, digits, dashes and underscores, beginning with a letter.

${configurationTable()}
`;
}
