/** Classes of bytes in RFC 9110 and RFC 9112, as tables, because a header is looked at byte by byte. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

const table = (has: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
const among = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte));
const isAlpha = (byte: number) => (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
const isDigit = (byte: number) => byte >= 48 && byte <= 57;

/** `tchar` (RFC 9110 section 5.6.2). */
export const TOKEN = table((byte) => isAlpha(byte) || isDigit(byte) || among("!#$%&'*+-.^_`|~")(byte));

/** What may stand in a field value: SP, HTAB, VCHAR and obs-text (RFC 9110 section 5.5). */
export const VALUE = table((byte) => byte === HTAB || (byte >= 32 && byte !== 127));

/** What may stand in a request target: visible ASCII but `#`; other bytes have no place in a URI (RFC 3986). */
export const TARGET = table((byte) => byte > 32 && byte < 127 && byte !== 35);

/** Value of a hexadecimal digit, or 255. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});

/** Bytes as text, one character each. The same as `toString("latin1")`, without its checks. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(start, end);
}
