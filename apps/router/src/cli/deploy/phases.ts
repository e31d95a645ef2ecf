import { CliError } from "../errors.ts";
import { checkDirectly } from "./check/direct.ts";
import { verifyOutside } from "./check/outside.ts";
import { type Deployment, versionOf } from "./deployment.ts";
import { keepWarm } from "./keep-old.ts";
import { LocalSlot } from "./local/slot.ts";
import { untilIdle, untilReady, untilSeen } from "./ready.ts";
import { publishRecord, stopInRecord } from "./record-phase.ts";
import { colorOf, soleColor, weightsOf } from "./router.ts";
import type { Phase } from "./runner.ts";
import { CannotGoBack } from "./runner.ts";
import { goBack } from "./way-back.ts";

const NEVER = new AbortController().signal;

/** Everything that a deploy does, in order. Before `switch` no client notices anything. */
export function phasesOf(deploy: Deployment): readonly Phase[] {
  return [
    clean(deploy),
    prepare(deploy),
    start(deploy),
    ready(deploy),
    check(deploy),
    targets(deploy),
    switchOver(deploy),
    verify(deploy),
    publishRecord(deploy),
    drain(deploy),
    stop(deploy),
  ];
}

/** The idle color's targets go first: what runs there next must not be a standby before it is proved. */
function clean({ router, settings, color, weight, slot, old, targetsBefore }: Deployment): Phase {
  const reason = `${settings.reason}: make room`;
  return {
    name: "clean",
    title: `${weight > 0 ? `give the requests of ${color} to ${old.color}, and ` : ""}clear ${color} of what is left there`,
    async run({ signal, note }) {
      // it may serve beside the other one, where it was asked for by name
      if (weight > 0) await router.flip(old.color, { reason, signal });
      if (targetsBefore.length > 0) await router.targets(color, [], { reason, signal });
      const idle = await untilIdle(router, color, { signal, timeout: settings.drainTimeout });
      if (!idle) note(`${color} still has requests in flight; they have as long as it takes to end`);
      await slot.clear();
      if (!(slot instanceof LocalSlot)) await new LocalSlot(settings.folder, color).clear();
    },
    async undo() {
      const now = colorOf(await router.look(), color);
      if (now.weight > 0 || sameList(now.targets, targetsBefore)) return;
      await router.targets(color, targetsBefore, { reason: `${settings.reason}: taken back`, signal: NEVER });
    },
  };
}

const sameList = (now: readonly { url: string }[], before: readonly string[]) =>
  now.length === before.length && now.every(({ url }, i) => url === before[i]);

function prepare(deploy: Deployment): Phase {
  return {
    name: "prepare",
    title: deploy.release.preparation,
    async run({ signal, note }) {
      deploy.release = await deploy.driver.prepare(deploy.release, signal, note);
      expectFacts(deploy);
    },
  };
}

/** What is known of the release before it runs must not contradict what was asked for. @throws CliError */
export function expectFacts({ release, settings }: Pick<Deployment, "release" | "settings">): void {
  const { version, digest, ref } = release.version;
  const { expectVersion, expectDigest } = settings;
  if (expectDigest !== undefined && digest !== null && digest !== expectDigest)
    throw new CliError(`${ref} says that it has the digest ${digest}; expected ${expectDigest}.`);
  if (expectVersion !== undefined && version !== null && version !== expectVersion)
    throw new CliError(`${ref} says that it is version ${version}; expected ${expectVersion}.`);
}

function start(deploy: Deployment): Phase {
  const { slot, router, color } = deploy;
  return {
    name: "start",
    title: `start ${deploy.release.version.ref} on ${color}`,
    run: ({ signal }) => slot.start(versionOf(deploy), signal),
    async undo() {
      const state = await router.state().catch(() => undefined); // without a router nobody has moved weight
      if (state && colorOf(state, color).weight > 0)
        throw new CannotGoBack(`${color} has weight, so it is left running.`);
      await slot.clear();
    },
  };
}

const ready = ({ slot, targets, settings: { timeout }, color }: Deployment): Phase => ({
  name: "ready",
  title: `wait until ${color} is ready`,
  run: ({ signal }) => untilReady(slot, targets, { signal, timeout }),
});

function check(deploy: Deployment): Phase {
  const { color, settings, slot } = deploy;
  return {
    name: "check",
    title: `check ${color} directly: version, digest, golden rows, answers, warmth`,
    async run({ signal, note }) {
      const { version, digest } = deploy.release.version;
      const expected = {
        color,
        version: settings.expectVersion ?? version ?? undefined,
        digest: settings.expectDigest ?? digest ?? undefined,
        golden: deploy.release.golden,
        warm: settings.warm,
      };
      for (const base of await slot.endpoints(deploy.targets)) {
        const facts = await checkDirectly(base, expected, signal);
        deploy.golden = expected.golden ?? facts.golden;
        const { version: reported, digest: found } = facts;
        deploy.release = {
          ...deploy.release,
          version: { ...deploy.release.version, version: reported, digest: found },
        };
        note(`${base} is ${reported}, ${found}; ${deploy.golden.length} golden rows are right`);
      }
    },
  };
}

function targets({ router, settings, color, targets: wanted }: Deployment): Phase {
  return {
    name: "targets",
    title: `tell the router of ${color}, and wait until it sees it healthy`,
    async run({ signal }) {
      await router.targets(color, wanted, { reason: settings.reason, signal });
      await untilSeen(router, color, { signal, timeout: settings.timeout });
    },
  };
}

function switchOver(deploy: Deployment): Phase {
  const { router, settings, color, old } = deploy;
  return {
    name: "switch",
    title: `switch from ${old.color} to ${color}: ${settings.switch.title}`,
    run: ({ signal, note }) =>
      settings.switch.run({ router, from: old.color, to: color, reason: settings.reason, signal, note }),
    undo: ({ note }) => goBack(deploy, note),
  };
}

function verify(deploy: Deployment): Phase {
  const { settings, color } = deploy;
  return {
    name: "verify",
    title: `verify from outside: ${settings.requests} requests through ${settings.url}`,
    run: ({ signal }) =>
      verifyOutside(
        {
          url: settings.url,
          requests: settings.requests,
          color,
          digest: deploy.release.version.digest ?? undefined,
          rows: deploy.golden!,
          compare: true,
        },
        signal,
      ),
  };
}

function drain(deploy: Deployment): Phase {
  const { router, settings, old, color, warnings } = deploy;
  const reason = `${settings.reason}: drain ${old.color}`;
  return {
    name: "drain",
    title: `drain ${old.color}`,
    async run({ signal, note }) {
      const state = await router.look(signal);
      if (soleColor(state)?.name !== color)
        throw new CliError(`${color} has not all weight any more: somebody else has moved it.`);
      const answer = await router.drained(weightsOf(state), settings.drainTimeout, { reason, signal });
      deploy.drained = answer.drained === true;
      if (deploy.drained) return;
      const left = (answer.in_flight?.[old.color] ?? 0) + (answer.tunnels?.[old.color] ?? 0);
      const warning = `${old.color} still has ${left} in flight after ${settings.drainTimeout / 1000} s, so it is left running`;
      warnings.push(warning);
      note(warning);
    },
  };
}

function stop(deploy: Deployment): Phase {
  const { old, settings, router, color, warnings } = deploy;
  const { slot, version } = old;
  const keep = settings.keepOld;
  return {
    name: "stop",
    title: keep === undefined ? `stop ${old.color}` : `keep ${old.color} warm for ${keep / 1000} s`,
    async run({ note }) {
      if (!deploy.drained) return note(`${old.color} is left running, because it is not drained`);
      if (!slot || !version) return note(`${old.color} was not started by a deploy, so it is left as it is`);
      if (keep !== undefined) return keepWarm(deploy, keep);
      try {
        await slot.stop();
        await stopInRecord(deploy);
      } catch (error) {
        const warning = `${old.color} could not be stopped: ${(error as Error).message}`;
        warnings.push(warning);
        note(warning);
      }
    },
    async undo({ note }) {
      if (!slot || !version || (await slot.running())) return;
      note(`starting ${old.color} again`);
      try {
        const patient = { signal: NEVER, timeout: settings.timeout };
        await slot.start(version, NEVER);
        await untilReady(slot, version.targets, patient);
        await untilSeen(router, old.color, patient);
      } catch (error) {
        throw new CannotGoBack(
          `${old.color} could not be started again (${(error as Error).message.replace(/\.$/, "")}), so ${color} keeps all requests.`,
        );
      }
    },
  };
}
