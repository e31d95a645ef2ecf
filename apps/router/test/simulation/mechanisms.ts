import { pickByKey } from "../../src/core/affinity.ts";
import { FirstBad } from "../../src/core/evidence/first-bad.ts";
import { drifting, REQUESTS, randomOf, STEPS, weightAt } from "./releases.ts";
import { EvidenceRule, ONE } from "./rules.ts";
import { type Result, STUDY } from "./study.ts";

/** One attempt: which color made it, and whether it was bad. The first is at the assigned color. */
interface Attempt {
  readonly candidate: boolean;
  readonly bad: boolean;
}

interface Request {
  readonly attempts: readonly Attempt[];
  /** The user's hash, with affinity. */
  readonly user?: number;
}

/** A release in which both colors are equally good, and something happens to requests. */
type Mechanism = (random: () => number) => (request: number, rho: number) => Request;

/** Which attempts become evidence. */
type Charging = () => (request: Request) => readonly Attempt[];

const first = ({ attempts }: Request) => attempts.slice(0, 1);
/** The design's: one record a request, its first attempt; with affinity, a user's first bad one. */
const charged: Charging = () => {
  const users = new FirstBad();
  return (request) => {
    const [attempt] = first(request);
    const counts = !attempt!.bad || request.user === undefined || users.isFirst(request.user);
    return counts ? [attempt!] : [];
  };
};
/** What first comes to mind: each attempt at the color that made it, whoever the user is. */
const naive: Charging =
  () =>
  ({ attempts }) =>
    attempts;

export const MECHANISMS: Readonly<Record<string, Mechanism>> = {
  "requests that fail on both colors": (random) => {
    const rate = drifting(random);
    return (request, rho) => {
      const [candidate, bad] = [random() < rho, random() < rate(request)];
      return {
        attempts: bad
          ? [
              { candidate, bad },
              { candidate: !candidate, bad },
            ]
          : [{ candidate, bad }],
      };
    };
  },
  "retries at the same color, of which 70 % fail again": (random) => {
    const rate = drifting(random);
    return (request, rho) => {
      const [candidate, bad] = [random() < rho, random() < rate(request)];
      const attempts = [{ candidate, bad }];
      while (attempts.at(-1)!.bad && attempts.length < 4) attempts.push({ candidate, bad: random() < 0.7 });
      return { attempts };
    };
  },
  "failover in outages that both colors share": (random) => {
    const [begin, length] = [random() * REQUESTS, 100 + random() * 200];
    return (request, rho) => {
      const candidate = random() < rho;
      const out = request >= begin && request < begin + length;
      const bad = random() < (out ? 0.6 : 0.002);
      return {
        attempts: bad
          ? [
              { candidate, bad },
              { candidate: !candidate, bad: out },
            ]
          : [{ candidate, bad }],
      };
    };
  },
  "hedges of slow requests, of which half are slow again": (random) => {
    const rate = drifting(random);
    return (request, rho) => {
      const [candidate, bad] = [random() < rho, random() < rate(request)];
      const hedge = { candidate: !candidate, bad: random() < 0.5 };
      return { attempts: bad ? [{ candidate, bad }, hedge] : [{ candidate, bad }] };
    };
  },
  "affinity, where a few users' requests all fail": (random) => {
    const salt = `rollout-${random()}`;
    const users = Array.from({ length: 400 }, (_, i) => ({ key: `user-${i}`, broken: random() < 0.05 }));
    const cache = new Map<string, boolean>();
    return (_, rho) => {
      const user = Math.floor(users.length * random() ** 2); // some are busier
      const { key, broken } = users[user]!;
      const at = `${rho} ${user}`;
      let candidate = cache.get(at);
      if (candidate === undefined) {
        candidate = pickByKey(["stable", "candidate"], [1 - rho, rho], salt, key) === 1;
        cache.set(at, candidate);
      }
      return { attempts: [{ candidate, bad: broken || random() < 0.005 }], user };
    };
  },
};

export interface MechanismRow {
  readonly mechanism: string;
  readonly charged: Result;
  readonly naive: Result;
}

const RELEASES = 2000;

export function compareCharging(): MechanismRow[] {
  return Object.entries(MECHANISMS).map(([mechanism, make], i) => ({
    mechanism,
    charged: study(make, charged, STUDY.mechanisms * 100 + i),
    naive: study(make, naive, STUDY.mechanisms * 100 + i),
  }));
}

function study(make: Mechanism, charging: Charging, seed: number): Result {
  const at: number[] = [];
  for (let release = 0; release < RELEASES; release++) {
    const request = rolledBackAt(make(randomOf(seed, release)), charging());
    if (request !== undefined) at.push(request + 1);
  }
  return { releases: RELEASES, at: at.sort((a, b) => a - b) };
}

function rolledBackAt(next: ReturnType<Mechanism>, evidence: ReturnType<Charging>): number | undefined {
  const rule = new EvidenceRule(ONE, "errors");
  for (let request = 0; request < REQUESTS; request++) {
    const rho = weightAt(STEPS, request);
    for (const { candidate, bad } of evidence(next(request, rho))) {
      if (rule.see(request, rho, candidate, bad)) return request;
    }
  }
  rule.confirm(STEPS.at(-1)!);
  return undefined;
}
