/** Ports that one loopback address surely has for connections to one port. */
const PORTS = 20_000;

/** The address that the i-th connection comes from: the system's choice as long as its ports last, then 127.0.0.2 and on. */
export function sourceAddress(i: number): string | undefined {
  const address = Math.floor(i / PORTS);
  return address === 0 ? undefined : `127.0.0.${address + 1}`;
}
