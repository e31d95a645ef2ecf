import ipaddr from "ipaddr.js";
import { formatAddress, isLoopback, isWildcard } from "../config/address.ts";
import type { Address } from "../config/config.ts";
import { StartError } from "../control/start-error.ts";

/** True when a socket at `actual` is what somebody means who writes `wanted`. */
export function agrees(wanted: Address, actual: Address): boolean {
  if (wanted.port !== 0 && wanted.port !== actual.port) return false;
  if (!ipaddr.isValid(wanted.host)) return wanted.host !== "localhost" || isLoopback(actual.host);
  const [host, other] = [ipaddr.process(wanted.host), ipaddr.process(actual.host)];
  // systemd opens a bare port for both kinds of addresses at once
  if (isWildcard(wanted.host) && isWildcard(actual.host))
    return host.kind() === "ipv4" || other.kind() === "ipv6";
  return host.toNormalizedString() === other.toNormalizedString();
}

export function disagreement(key: string, wanted: Address, actual: Address): StartError {
  return new StartError(
    `${key}: the configuration says ${formatAddress(wanted)}, but the socket that the supervisor opened is ${formatAddress(actual)}; make the two agree.`,
  );
}
