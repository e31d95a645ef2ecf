import { COLON, CR, HTAB, LF, latin1, SP, TARGET, TOKEN, VALUE } from "./bytes.ts";
import { FIELD, fieldKind } from "./field-kind.ts";

/** Why a head is refused. `version` is answered 505, `tooMany` 431, the others 400 (or 502 for an answer's head). */
export type HeadFault =
  | "startLine"
  | "version"
  | "fieldName"
  | "fieldValue"
  | "folded"
  | "lineEnd"
  | "tooMany";

/** No end of the head so far. */
export const INCOMPLETE = -1;
/** A byte that no head may hold: a control character, a bare CR or a bare LF. */
export const MALFORMED = -2;

/**
 * Looks for the empty line that ends a head, from `from` on, in bytes that begin at `start`. Every byte is looked at once,
 * also when the head comes in many pieces: call again with `from` where the last call ended.
 * @returns the index after the empty line, {@link INCOMPLETE}, or {@link MALFORMED}
 */
export function findHeadEnd(bytes: Uint8Array, start: number, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= SP && byte !== 127) continue;
    if (byte === LF) {
      if (i === start || bytes[i - 1] !== CR) return MALFORMED;
      if (i - start >= 3 && bytes[i - 2] === LF) return i + 1;
    } else if (byte === CR) {
      if (i + 1 < end && bytes[i + 1] !== LF) return MALFORMED;
    } else if (byte !== HTAB) return MALFORMED;
  }
  return INCOMPLETE;
}

/** Most fields that any configuration may allow; `limits.headers` is checked against its own number. */
const MOST_FIELDS = 1024;

/**
 * One head after another, read in place: names and values stay offsets into `text`, and what a proxy acts on is noted
 * while its name is read. One object serves a whole connection.
 */
export class Head {
  /** The head as latin1, byte for byte. */
  text = "";
  /** First characters of the fields: after the start line's CRLF. */
  fieldsAt = 0;
  count = 0;
  readonly kinds = new Uint8Array(MOST_FIELDS);
  /** Per field: start of the line, end of the name, start and end of the value, end of the line after its CRLF. */
  readonly offsets = new Int32Array(MOST_FIELDS * 4);
  /** Bit per kind that occurs. */
  seen = 0;
  method = "";
  target = "";
  minor = 1;
  status = 0;
  reason = "";

  /** Reads a request's head, which ends with its empty line. @param most number of fields that are allowed */
  readRequest(bytes: Buffer, start: number, end: number, most: number): HeadFault | undefined {
    this.text = latin1(bytes, start, end);
    let at = start;
    while (TOKEN[bytes[at]!] === 1) at++;
    const methodEnd = at;
    if (methodEnd === start || bytes[at] !== SP) return "startLine";
    at++;
    const targetStart = at;
    while (TARGET[bytes[at]!] === 1) at++;
    if (at === targetStart || bytes[at] !== SP) return "startLine";
    const targetEnd = at;
    const fault = this.#readVersion(bytes, at + 1, CR);
    if (fault) return fault;
    this.method = this.text.substring(0, methodEnd - start);
    this.target = this.text.substring(targetStart - start, targetEnd - start);
    return this.#readFields(bytes, start, at + 11, end, most);
  }

  /** Reads an answer's head, which ends with its empty line. */
  readResponse(bytes: Buffer, start: number, end: number, most: number): HeadFault | undefined {
    this.text = latin1(bytes, start, end);
    const fault = this.#readVersion(bytes, start, SP);
    if (fault) return fault;
    let at = start + 9;
    this.status = 0;
    for (const last = at + 3; at < last; at++) {
      const digit = bytes[at]! - 48;
      if (digit < 0 || digit > 9) return "startLine";
      this.status = this.status * 10 + digit;
    }
    if (this.status < 100 || this.status > 599) return "startLine";
    // The space before an empty reason is required, and is left out by many servers.
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR) return "startLine";
    const reasonStart = at;
    while (VALUE[bytes[at]!] === 1) at++;
    if (bytes[at] !== CR) return "startLine";
    this.reason = this.text.substring(reasonStart - start, at - start);
    return this.#readFields(bytes, start, at + 2, end, most);
  }

  /** The i-th field's name as it was sent. */
  name(i: number): string {
    const at = this.offsets[i * 4]!;
    return this.text.substring(at, this.offsets[i * 4 + 1]!);
  }

  /** The i-th field's value, without the white space around it. */
  value(i: number): string {
    return this.text.substring(this.offsets[i * 4 + 2]!, this.offsets[i * 4 + 3]!);
  }

  /** The value of the first field of this lower-case name: for fields that have no kind. */
  valueOf(name: string): string | undefined {
    for (let i = 0; i < this.count; i++) {
      const at = i * 4;
      if (this.offsets[at + 1]! - this.offsets[at]! !== name.length) continue;
      if (this.name(i).toLowerCase() === name) return this.value(i);
    }
    return undefined;
  }

  /** Start of the i-th field's line in `text`; for `count`, where the empty line begins. */
  lineAt(i: number): number {
    return i < this.count ? this.offsets[i * 4]! : this.text.length - 2;
  }

  has(kind: number): boolean {
    return (this.seen & (1 << kind)) !== 0;
  }

  /** Index of the first field of a kind from `from` on, or -1. */
  find(kind: number, from = 0): number {
    if ((this.seen & (1 << kind)) === 0) return -1;
    for (let i = from; i < this.count; i++) if (this.kinds[i] === kind) return i;
    return -1;
  }

  /** `HTTP/1.0` or `HTTP/1.1` before `until`; a higher minor version counts as 1.1 (RFC 9110 section 2.5). */
  #readVersion(bytes: Buffer, at: number, until: number): HeadFault | undefined {
    for (let i = 0; i < 5; i++) if (bytes[at + i] !== "HTTP/".charCodeAt(i)) return "startLine";
    const major = bytes[at + 5]! - 48;
    const minor = bytes[at + 7]! - 48;
    if (bytes[at + 6] !== 46 || major < 0 || major > 9 || minor < 0 || minor > 9) return "startLine";
    if (bytes[at + 8] !== until) return "startLine";
    if (major !== 1 || minor > 1) return "version";
    this.minor = minor;
    return undefined;
  }

  #readFields(bytes: Buffer, start: number, from: number, end: number, most: number): HeadFault | undefined {
    this.fieldsAt = from - start;
    this.count = 0;
    this.seen = 0;
    if (bytes[from - 2] !== CR || bytes[from - 1] !== LF) return "lineEnd";
    let at = from;
    const last = end - 2;
    while (at < last) {
      if (this.count === most || this.count === MOST_FIELDS) return "tooMany";
      if (bytes[at] === SP || bytes[at] === HTAB) return "folded";
      const nameStart = at;
      while (TOKEN[bytes[at]!] === 1) at++;
      if (at === nameStart || bytes[at] !== COLON) return "fieldName";
      const nameEnd = at++;
      while (bytes[at] === SP || bytes[at] === HTAB) at++;
      const valueStart = at;
      while (VALUE[bytes[at]!] === 1) at++;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) return "fieldValue";
      let valueEnd = at;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB))
        valueEnd--;
      this.#note(bytes, start, nameStart, nameEnd, valueStart, valueEnd);
      if (this.#framesOddly(bytes, nameEnd, at)) return "fieldValue";
      at += 2;
    }
    return undefined;
  }

  /**
   * In `Transfer-Encoding` only spaces and visible ASCII may stand: with a tab behind it `chunked` is not chunked to Node,
   * and 0xA0 is a space to JavaScript, but to nobody else.
   */
  #framesOddly(bytes: Buffer, from: number, to: number): boolean {
    if (this.kinds[this.count - 1] !== FIELD.transferEncoding) return false;
    for (let i = from; i < to; i++) if (bytes[i]! < SP || bytes[i]! > 126) return true;
    return false;
  }

  #note(bytes: Buffer, start: number, name: number, nameEnd: number, value: number, valueEnd: number): void {
    const kind = fieldKind(bytes, name, nameEnd);
    const at = this.count * 4;
    this.kinds[this.count++] = kind;
    if (kind !== FIELD.other) this.seen |= 1 << kind;
    this.offsets[at] = name - start;
    this.offsets[at + 1] = nameEnd - start;
    this.offsets[at + 2] = value - start;
    this.offsets[at + 3] = valueEnd - start;
  }
}
