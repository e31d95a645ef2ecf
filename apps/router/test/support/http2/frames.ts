/** Frames of HTTP/2 as RFC 9113 section 6 has them, right or wrong. */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

/** Error codes (section 7). */
export const CODE = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
} as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const EMPTY = Buffer.alloc(0);

export function frame(type: number, flags: number, stream: number, payload: Buffer = EMPTY): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Values by a setting's number. */
export function settings(values: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = values.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id]), uint32(value)]));
  return frame(TYPE.SETTINGS, 0, 0, Buffer.concat(payload));
}

export const settingsAck = (): Buffer => frame(TYPE.SETTINGS, FLAG.ACK, 0);

export function headers(stream: number, block: Buffer, { end = true, endHeaders = true } = {}): Buffer {
  const flags = (end ? FLAG.END_STREAM : 0) | (endHeaders ? FLAG.END_HEADERS : 0);
  return frame(TYPE.HEADERS, flags, stream, block);
}

export function continuation(stream: number, block: Buffer, { endHeaders = true } = {}): Buffer {
  return frame(TYPE.CONTINUATION, endHeaders ? FLAG.END_HEADERS : 0, stream, block);
}

export function data(stream: number, bytes: string | Buffer, { end = true } = {}): Buffer {
  const payload = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  return frame(TYPE.DATA, end ? FLAG.END_STREAM : 0, stream, payload);
}

export const reset = (stream: number, code: number = CODE.CANCEL): Buffer =>
  frame(TYPE.RST_STREAM, 0, stream, uint32(code));

export const ping = (flags = 0): Buffer => frame(TYPE.PING, flags, 0, Buffer.alloc(8, 7));

export const windowUpdate = (stream: number, bytes: number): Buffer =>
  frame(TYPE.WINDOW_UPDATE, 0, stream, uint32(bytes));

export const goaway = (last: number, code: number = CODE.NO_ERROR): Buffer =>
  frame(TYPE.GOAWAY, 0, 0, Buffer.concat([uint32(last), uint32(code)]));

/** The whole frames at the beginning of `bytes`, and how many bytes they take. */
export function readFrames(bytes: Buffer): { readonly frames: Frame[]; readonly taken: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const length = bytes.readUIntBE(at, 3);
    if (bytes.length - at < 9 + length) break;
    const [type, flags] = [bytes.readUInt8(at + 3), bytes.readUInt8(at + 4)];
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    frames.push({ type, flags, stream, payload: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return { frames, taken: at };
}
