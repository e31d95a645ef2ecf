/** As much of HPACK (RFC 7541) as tests need: heads that no library would write, and answers of any library. */

export type Fields = readonly (readonly [name: string, value: string])[];

/** An integer with a prefix of `bits` bits (RFC 7541 section 5.1); `flags` are the bits above it. */
export function hpackInteger(value: number, bits: number, flags = 0): Buffer {
  const max = 2 ** bits - 1;
  if (value < max) return Buffer.from([flags | value]);
  const bytes = [flags | max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackInteger(bytes.length, 7), bytes]);
}

/** A header block: every field as a literal without indexing, its bytes as they are (section 6.2.2). */
export function headerBlock(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), string(name), string(value)]));
}

/** One field as a literal that goes into the dynamic table (section 6.2.1). */
export function indexedField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), string(name), string(value)]);
}

const STATIC: Fields =
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
    .split("|")
    .map((entry) => [entry.split("=")[0]!, entry.slice(entry.split("=")[0]!.length + 1)]);

/** Bits of each byte's Huffman code, in base 36 (appendix B). The code is canonical, so the lengths say it all. */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

const HUFFMAN = huffmanCodes();

function huffmanCodes(): ReadonlyMap<string, number> {
  const lengths = [...LENGTHS].map((digit, byte) => ({ byte, bits: Number.parseInt(digit, 36) }));
  lengths.sort((a, b) => a.bits - b.bits || a.byte - b.byte);
  let [code, bits] = [0, lengths[0]!.bits];
  return new Map(
    lengths.map((entry) => {
      code *= 2 ** (entry.bits - bits);
      bits = entry.bits;
      return [(code++).toString(2).padStart(bits, "0"), entry.byte];
    }),
  );
}

function unpack(bytes: Buffer): string {
  let text = "";
  let code = "";
  for (const bit of [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("")) {
    code += bit;
    const byte = HUFFMAN.get(code);
    if (byte === undefined) continue;
    text += String.fromCharCode(byte);
    code = "";
  }
  return text;
}

/** Reads one connection's header blocks, in their order. */
export class HpackDecoder {
  readonly #table: [string, string][] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  decode(block: Buffer): [string, string][] {
    this.#bytes = block;
    this.#at = 0;
    const fields: [string, string][] = [];
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if (first & 0x80) fields.push(this.#entry(this.#integer(7)));
      else if ((first & 0xe0) === 0x20) this.#integer(5);
      else {
        const field = this.#literal(first & 0x40 ? 6 : 4);
        if (first & 0x40) this.#table.unshift(field);
        fields.push(field);
      }
    }
    return fields;
  }

  #literal(bits: number): [string, string] {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): [string, string] {
    const entry = index <= STATIC.length ? STATIC[index - 1] : this.#table[index - STATIC.length - 1];
    if (!entry) throw new Error(`no entry ${index} in the table`);
    return [entry[0], entry[1]];
  }

  #integer(bits: number): number {
    const max = 2 ** bits - 1;
    let value = this.#bytes[this.#at++]! & max;
    if (value < max) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  #string(): string {
    const packed = (this.#bytes[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return packed ? unpack(bytes) : bytes.toString("latin1");
  }
}
