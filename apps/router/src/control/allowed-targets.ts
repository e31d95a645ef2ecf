import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";
import { normalizeTarget } from "../config/target-url.ts";
import { Refusal } from "../core/refusal.ts";
import { targetAddress } from "../core/target-address.ts";

/** All addresses of a host name. Rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** Ranges that are allowed while the configuration names none. */
const HOME = new Set(["loopback", "private", "uniqueLocal"]);
/** Never a model service, or an IPv4 address in disguise that the other rules would not see. */
const NEVER = new Set([
  "linkLocal",
  "unspecified",
  "multicast",
  "broadcast",
  "reserved",
  "rfc6052",
  "6to4",
  "teredo",
]);
/** Addresses at which clouds hand out credentials, outside of the link-local ranges. */
const METADATA = new Set(["fd00:ec2::254", "100.100.100.200", "168.63.129.16"]);

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Normalizes URLs that came in a request, and refuses those that lead out of `allowed` (CIDRs; none: loopback and private
 * ranges). Link-local and metadata addresses are refused always. A name is refused if any of its addresses is: it may
 * resolve otherwise when a connection is made, so names are only as trustworthy as the DNS that they are asked of.
 * @param own what the configuration file itself names for this color: it may always come back, also while its name has
 * no address because nothing runs there
 * @throws Refusal invalid_targets
 */
export async function checkTargets(
  given: readonly string[],
  allowed: readonly string[],
  resolve: Resolve,
  own: readonly string[] = [],
): Promise<string[]> {
  const urls = given.map(normalize);
  const foreign = urls.filter((url) => !own.includes(url));
  await Promise.all(foreign.map((url) => checkTarget(url, allowed, resolve)));
  return urls;
}

function normalize(given: string): string {
  try {
    return normalizeTarget(given);
  } catch (error) {
    throw new Refusal(
      "invalid_targets",
      `The target ${JSON.stringify(given)} is refused: ${(error as Error).message}.`,
    );
  }
}

async function checkTarget(url: string, allowed: readonly string[], resolve: Resolve): Promise<void> {
  const { host } = targetAddress(url);
  const addresses = ipaddr.isValid(host) ? [host] : await resolveOrRefuse(url, host, resolve);
  for (const address of addresses) {
    if (isAllowed(ipaddr.process(address), allowed)) continue;
    const named = address === host ? "" : ` (it resolves to ${address})`;
    throw new Refusal(
      "invalid_targets",
      `The target ${url} is not allowed${named}; allowed_targets says what is.`,
    );
  }
}

async function resolveOrRefuse(url: string, host: string, resolve: Resolve): Promise<readonly string[]> {
  const addresses = await resolve(host).catch(() => []);
  if (addresses.length > 0) return addresses;
  throw new Refusal("invalid_targets", `The target ${url} is refused: the name ${host} has no address.`);
}

function isAllowed(address: Address, allowed: readonly string[]): boolean {
  if (NEVER.has(address.range()) || METADATA.has(address.toString())) return false;
  if (allowed.length === 0) return HOME.has(address.range());
  return allowed.some((cidr) => contains(ipaddr.parseCIDR(cidr), address));
}

function contains([network, bits]: [Address, number], address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}
