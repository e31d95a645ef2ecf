import ipaddr from "ipaddr.js";
import type { Address } from "./config.ts";
import { Refused } from "./errors.ts";

const WANTED =
  "an address such as 127.0.0.1:8080, [::1]:8080, localhost:8080, or :8080 for every IPv4 address";
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/**
 * An address to listen on. `:8080` is every IPv4 address and `[::]:8080` is every address of both kinds; port 0 lets
 * the system choose.
 * @throws Refused
 */
export function parseAddress(value: unknown): Address {
  const match = typeof value === "string" ? /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) : null;
  if (!match) throw Refused.expected(WANTED);
  const port = Number(match[3]);
  if (port > 65_535) throw Refused.expected(`${WANTED}, with a port of at most 65535`);
  if (match[1] !== undefined) return { host: bracketed(match[1]), port };
  const host = match[2] || "0.0.0.0";
  if (!isHost(host)) throw Refused.expected(WANTED);
  return { host, port };
}

function bracketed(host: string): string {
  if (!ipaddr.IPv6.isValid(host)) throw Refused.expected(WANTED);
  return host;
}

/** What looks like an IPv4 address has to be one: `300.1.1.1` would else be looked up as a name. */
function isHost(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return ipaddr.IPv4.isValidFourPartDecimal(host);
  return HOST_NAME.test(host);
}

/** `127.0.0.1:8080`, `[::1]:8080`: what `parseAddress` reads. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True when only this machine can reach the host: 127.0.0.0/8, ::1 and the name localhost. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}

/** True when the host stands for every address of the machine. */
export function isWildcard(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "unspecified";
}

/**
 * A range of addresses: `10.0.0.0/8`, `fd00::/8`; a bare address is a range of one. Bits after the prefix are cleared.
 * @throws Refused
 */
export function parseCidr(value: unknown): string {
  const wanted = "a range of addresses such as 10.0.0.0/8 or fd00::/8, or one address such as 192.0.2.7";
  if (typeof value !== "string") throw Refused.expected(wanted);
  const kind = value.includes(":") ? ipaddr.IPv6 : ipaddr.IPv4;
  const whole = value.includes("/") ? value : `${value}/${kind === ipaddr.IPv6 ? 128 : 32}`;
  const strict = kind === ipaddr.IPv6 || ipaddr.IPv4.isValidCIDRFourPartDecimal(whole);
  if (!strict || !kind.isValidCIDR(whole)) throw Refused.expected(wanted);
  const network = kind.networkAddressFromCIDR(whole);
  return `${network.toString()}/${ipaddr.parseCIDR(whole)[1]}`;
}
