import { readFileSync, readlinkSync } from "node:fs";
import ipaddr from "ipaddr.js";
import type { Address } from "../config/config.ts";

const LISTEN = "0A";

/** Where a descriptor listens; undefined when it is no listening TCP socket. Linux only: Node itself cannot tell. */
export function describeSocket(fd: number): Address | undefined {
  const inode = inodeOf(fd);
  if (inode === undefined) return undefined;
  for (const table of ["tcp", "tcp6"]) {
    for (const line of linesOf(`/proc/self/net/${table}`)) {
      const [, local = "", , state, , , , , , found] = line.trim().split(/\s+/);
      if (found === inode && state === LISTEN) return parseLocal(local);
    }
  }
  return undefined;
}

function inodeOf(fd: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined; // not open
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    return []; // a machine without IPv6
  }
}

/** `0100007F:1F90`: 32-bit words in the machine's byte order, which is little-endian wherever Node runs on Linux, s390x apart. */
function parseLocal(text: string): Address {
  const [hex = "", port = ""] = text.split(":");
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  return { host: ipaddr.fromByteArray(bytes).toString(), port: Number.parseInt(port, 16) };
}
