import { readIfThere, replaceFile } from "../files.ts";

/**
 * The text of a `.env` file with one variable set. Every other line stays as it is, comments and line ends too. Where the
 * variable stands several times the last counts for Compose, so the last is changed.
 */
export function setVariable(text: string, name: string, value: string): string {
  const line = `${name}=${quote(value)}`;
  const lines = text.split("\n");
  const pattern = new RegExp(`^\\s*(export\\s+)?${name}\\s*=`);
  const last = lines.findLastIndex((each) => pattern.test(each));
  if (last >= 0) {
    const [, exported = ""] = pattern.exec(lines[last]!)!;
    lines[last] = `${exported}${line}${lines[last]!.endsWith("\r") ? "\r" : ""}`;
    return lines.join("\n");
  }
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const separator = text === "" || text.endsWith("\n") ? "" : end;
  return `${text}${separator}${line}${end}`;
}

/** What Compose v2 and 1.29 read as it stands goes without quotes; in single quotes nothing is expanded. */
function quote(value: string): string {
  return /^[A-Za-z0-9._:/@+-]*$/.test(value) ? value : `'${value.replaceAll("'", "\\'")}'`;
}

/** Sets a variable in the file, atomically. @returns the text before; undefined when there was no file */
export async function writeVariable(path: string, name: string, value: string): Promise<string | undefined> {
  const before = await readIfThere(path);
  const after = setVariable(before ?? "", name, value);
  if (after !== before) await replaceFile(path, after);
  return before;
}
