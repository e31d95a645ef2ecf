import { TOKEN, VALUE } from "./bytes.ts";

/** Where in a chunk extension a byte stands; the extension may end in the states up to {@link AFTER_QUOTES}. */
const NAME = 0;
const VALUE_TOKEN = 1;
const AFTER_QUOTES = 2;
const NAME_START = 3;
const VALUE_START = 4;
const QUOTED = 5;
const ESCAPED = 6;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/** Behind the first semicolon. */
export const EXTENSION_START = NAME_START;
export const EXTENSION_FAULT = -1;

/** The extension is whole, if its line ends here. */
export function mayEnd(state: number): boolean {
  return state <= AFTER_QUOTES;
}

/**
 * One byte of `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 section 7.1.1). Bad white space is refused as
 * Node refuses it: what stands there means nothing to us, and two servers that disagree about it disagree about chunks.
 * @returns the next state, or {@link EXTENSION_FAULT}
 */
export function extensionStep(state: number, byte: number): number {
  switch (state) {
    case NAME:
      if (byte === EQUALS) return VALUE_START;
      return tokenStep(state, byte);
    case VALUE_TOKEN:
      return tokenStep(state, byte);
    case AFTER_QUOTES:
      return byte === SEMICOLON ? NAME_START : EXTENSION_FAULT;
    case NAME_START:
      return TOKEN[byte] === 1 ? NAME : EXTENSION_FAULT;
    case VALUE_START:
      if (byte === QUOTE) return QUOTED;
      return TOKEN[byte] === 1 ? VALUE_TOKEN : EXTENSION_FAULT;
    case QUOTED:
      if (byte === QUOTE) return AFTER_QUOTES;
      if (byte === BACKSLASH) return ESCAPED;
      return VALUE[byte] === 1 ? QUOTED : EXTENSION_FAULT;
    default:
      return VALUE[byte] === 1 ? QUOTED : EXTENSION_FAULT;
  }
}

function tokenStep(state: number, byte: number): number {
  if (TOKEN[byte] === 1) return state;
  return byte === SEMICOLON ? NAME_START : EXTENSION_FAULT;
}
