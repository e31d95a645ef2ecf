import { keyOf, type Path } from "./key.ts";

const SECRET_KEY =
  /^(admin|admin\.token|admin\.tokens(\[\d+\](\.token)?)?|override\.secret|tracing\.headers|hooks\.[^.]+\.(url|command|headers|env)(\..*)?)$/;
const SECRET_NAME = /TOKEN|SECRET|PASSW|KEY|CREDENTIAL/i;
const LONGEST = 60;

/**
 * How a message shows a value: as it is, but never a secret. What stands where a secret belongs, what came from a
 * variable that is named like one, and the user part of a URL are left out.
 * @param value what was refused, after `${NAME}` was replaced
 * @param source the same as it stands in the file
 */
export function show(value: unknown, path: Path, source: unknown = value): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (SECRET_KEY.test(keyOf(path))) return value === "" ? "empty" : "(not shown)";
  if (typeof source === "string" && source !== value && source.includes("${")) {
    return SECRET_NAME.test(source) ? quote(source) : `${quote(value)}, from ${quote(source)}`;
  }
  return quote(value);
}

function quote(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const text = value.replace(/\/\/[^/\s]*@/g, "//***@");
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
