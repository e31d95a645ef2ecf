import { formatAddress } from "../config/address.ts";
import type { Address, Config } from "../config/config.ts";
import { StartError } from "../control/start-error.ts";
import { agrees, disagreement } from "./agrees.ts";
import { describeSocket } from "./describe-socket.ts";
import type { InheritedSocket, SocketKey, Sockets } from "./messages.ts";

/** The first descriptor that a supervisor passes: sd_listen_fds(3). */
const FIRST_FD = 3;
const MOST = 64;

/** Names in `FileDescriptorName=`, and the option that each stands for. */
const NAMES: Readonly<Record<string, SocketKey>> = {
  http: "listen",
  https: "listen",
  redirect: "tls.redirect",
  admin: "admin.listen",
  metrics: "metrics.listen",
};

type Wanted = ReadonlyMap<SocketKey, Address>;

interface Passed {
  readonly fd: number;
  readonly name: string | undefined;
  readonly address: Address;
}

/**
 * The sockets that a supervisor passes to this process (`LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`). Removes the
 * variables, because they are meant for no child.
 * @throws StartError what was passed cannot be used
 */
export function activatedSockets(config: Config, env: NodeJS.ProcessEnv, pid = process.pid): Sockets {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete env[name];
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return {};
  if (number("LISTEN_PID", LISTEN_PID, "a process number") !== pid) return {};
  const count = number("LISTEN_FDS", LISTEN_FDS, `the number of sockets, at most ${MOST}`, MOST);
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(":");
  if (LISTEN_FDNAMES !== undefined && names.length !== count)
    throw new StartError(`LISTEN_FDNAMES has ${names.length} names, but LISTEN_FDS says ${count}.`);
  const passed = Array.from({ length: count }, (_, i) => look(FIRST_FD + i, names[i]));
  return assign(passed, wantedBy(config));
}

function number(name: string, text: string, expected: string, most = Number.MAX_SAFE_INTEGER): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= most) return Number(text);
  throw new StartError(`${name} is ${JSON.stringify(text)}; expected ${expected}.`);
}

function look(fd: number, name: string | undefined): Passed {
  const address = describeSocket(fd);
  if (address) return { fd, name, address };
  const which = name === undefined ? "" : ` (${name})`;
  throw new StartError(
    `LISTEN_FDS passes descriptor ${fd}${which}, which is no listening TCP socket; expected one, as of ListenStream=8080.`,
  );
}

function wantedBy({ listen, tls, admin, metrics }: Config): Wanted {
  const wanted = new Map<SocketKey, Address>([
    ["listen", listen],
    ["admin.listen", admin.listen],
  ]);
  if (tls?.redirect) wanted.set("tls.redirect", tls.redirect);
  if (metrics.listen !== "admin") wanted.set("metrics.listen", metrics.listen);
  return wanted;
}

function assign(passed: readonly Passed[], wanted: Wanted): Sockets {
  const sockets: Partial<Record<SocketKey, InheritedSocket>> = {};
  for (const { fd, name, address } of passed) {
    const key = keyOf({ fd, name, address }, wanted, passed.length === 1);
    if (sockets[key]) throw new StartError(`Two sockets were passed for ${key}; expected one.`);
    const asked = wanted.get(key);
    if (!asked) throw new StartError(`A socket named ${name} was passed, but ${key} names no address.`);
    if (!agrees(asked, address)) throw disagreement(key, asked, address);
    sockets[key] = { fd, configured: formatAddress(asked), supervised: true };
  }
  return sockets;
}

/** By name, else by address; one that is alone is for the clients. */
function keyOf({ name, address }: Passed, wanted: Wanted, alone: boolean): SocketKey {
  const named = name === undefined ? undefined : Object.hasOwn(NAMES, name) && NAMES[name];
  if (named) return named;
  for (const [key, asked] of wanted) if (asked.port !== 0 && agrees(asked, address)) return key;
  if (alone) return "listen";
  throw new StartError(
    `The socket ${formatAddress(address)} was passed, but no option names it; give it FileDescriptorName=http, https, redirect, admin or metrics.`,
  );
}
