import { StringDecoder } from "node:string_decoder";

/** Characters that a line may have. */
const LONGEST = 64 * 1024;

export class TooLongError extends Error {
  constructor() {
    super(`It has more than ${LONGEST.toLocaleString("en")} characters; expected one JSON object.`);
  }
}

/**
 * The lines of a stream, one after another, however large it is; node:readline would keep a line without an end whole.
 * @throws TooLongError
 */
export async function* textLines(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let first = true;
  for await (const chunk of stream) {
    rest += typeof chunk === "string" ? chunk : decoder.write(chunk);
    if (first) rest = rest.replace(/^\uFEFF/, "");
    first = false;
    const lines = rest.split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield checked(line);
    checked(rest);
  }
  rest += decoder.end();
  if (rest !== "") yield checked(rest);
}

function checked(line: string): string {
  if (line.length > LONGEST) throw new TooLongError();
  return line;
}
