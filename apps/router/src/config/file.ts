import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { LineCounter, parseDocument, type YAMLError } from "yaml";
import { ConfigError } from "./errors.ts";

/** A configuration is written by hand; what is larger is the wrong file. */
const LARGEST = 1 << 20;
/** An alias may stand for much; a few are a convenience, thousands an attack. */
const MOST_ALIASES = 100;

/**
 * The values of a YAML or JSON file (JSON is read as YAML, which contains it), with `${NAME}` not yet replaced.
 * @throws ConfigError when there is no such file, or it is not what it should be
 */
export function readConfigFile(path: string): unknown {
  return parseText(path, decode(path, readBytes(path)));
}

function refuse(path: string, message: string): never {
  throw new ConfigError(path, [{ key: "", message }]);
}

function readBytes(path: string): Buffer {
  const bytes = Buffer.alloc(LARGEST + 1);
  let length = 0;
  try {
    const file = openSync(path, "r");
    try {
      if (fstatSync(file).isDirectory()) refuse(path, "is a folder; expected a file.");
      for (let got = -1; got !== 0 && length < bytes.length; length += got) {
        got = readSync(file, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    refuse(path, `${unreadable(error)}.`);
  }
  if (length > LARGEST) refuse(path, "is larger than 1 MiB; expected a configuration.");
  return bytes.subarray(0, length);
}

/** Why a file could not be read, as the end of a sentence. */
export function unreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const known: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "it may not be read by this user (permission denied)",
    EISDIR: "it is a folder",
    ENOTDIR: "there is no such file: a part of its path is not a folder",
  };
  return known[code ?? ""] ?? `it cannot be read (${code ?? String(error)})`;
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse(path, "is not valid UTF-8; expected YAML or JSON text.");
  }
}

function parseText(path: string, text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
    lineCounter: lines,
  });
  const first = document.errors[0] ?? document.warnings[0];
  if (first) {
    const { line, col } = lines.linePos(first.pos[0]);
    refuse(
      path,
      `is not valid at line ${line}, column ${col}: ${whatIsWrong(first, text.split("\n")[line - 1])}.`,
    );
  }
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const bomb = error.message.startsWith("Excessive");
    const fault = bomb
      ? `has more than ${MOST_ALIASES} aliases (*NAME)`
      : "has an alias (*NAME) without its anchor (&NAME)";
    return refuse(path, `${fault}; a value that begins with * has to stand in quotes.`);
  }
}

/** The parser's own messages quote the file, which may hold a secret; these do not. */
function whatIsWrong(error: YAMLError, line = ""): string {
  const known: Partial<Record<YAMLError["code"], string>> = {
    DUPLICATE_KEY: `the key ${/^\s*(["']?[\w-]+["']?)\s*:/.exec(line)?.[1] ?? "here"} is given twice`,
    TAB_AS_INDENT: "a tab is used as indentation; expected spaces",
    MULTIPLE_DOCS: "a second document begins; expected one",
    NON_STRING_KEY: "a key is not text",
    TAG_RESOLVE_FAILED: "a tag (!NAME) is not known; a value that begins with ! has to stand in quotes",
    MISSING_CHAR: "a quote or a bracket is not closed, or a colon is missing",
    BAD_INDENT: "the indentation does not fit, or a bracket is not closed",
    BLOCK_AS_IMPLICIT_KEY: "there are two colons; a value with a colon and a space has to stand in quotes",
  };
  const hint = /[{[].*\$\{|: *\[[^\]]*\]:/.test(line)
    ? "; inside { } and before ]: a value has to stand in quotes"
    : "";
  return `${known[error.code] ?? "this is not YAML"}${hint}`;
}
