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
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/**
 * The client as the nearest proxy that we do not trust saw it: X-Forwarded-For read from the right, as long as each hop
 * is trusted. A client can write what it likes to the left of that.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: Contains): string {
  let client = plainAddress(peer);
  if (forwardedFor === undefined) return client;
  const hops = forwardedFor.split(",").map((hop) => hop.trim());
  while (trusted(client)) {
    const hop = hops.pop();
    if (hop === undefined || isIP(hop) === 0) break;
    client = plainAddress(hop);
  }
  return client;
}
