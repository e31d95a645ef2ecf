import { BlockList, isIP } from "node:net";

/** True for an address inside one of the networks; IPv4 addresses mapped into IPv6 count as IPv4. */
export type Contains = (address: string) => boolean;

/** Compiles CIDRs, which the configuration has already checked. */
export function networks(cidrs: readonly string[]): Contains {
  if (cidrs.length === 0) return () => false;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split("/") as [string, string | undefined];
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? "ipv6" : "ipv4");
  };
}

/** `::ffff:10.0.0.1` is how a dual-stack socket writes 10.0.0.1. */
export function plainAddress(address: string): string {
  return /^::ffff:[\d.]+$/i.test(address) ? address.slice(7) : address;
}

/** What a proxy writes that cannot or will not name its client (RFC 7239 section 6.2). In no network. */
const UNKNOWN = "unknown";

/**
 * The client as the nearest proxy that we do not trust saw it: X-Forwarded-For read from the right, as long as each hop
 * is trusted. A client can write what it likes to the left of that. A hop that is no address is `unknown`; to take its
 * proxy for the client would lend the client that proxy's rights.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: Contains): string {
  let client = plainAddress(peer);
  if (forwardedFor === undefined || !trusted(client)) return client;
  const hops = forwardedFor.split(",");
  while (trusted(client)) {
    const hop = hops.pop();
    if (hop === undefined) break;
    client = hopAddress(hop.trim());
  }
  return client;
}

/** Some proxies write the port, too: `203.0.113.5:4711`, `[2001:db8::1]:4711`. */
function hopAddress(hop: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return isIP(bare) === 0 ? UNKNOWN : plainAddress(bare);
}
