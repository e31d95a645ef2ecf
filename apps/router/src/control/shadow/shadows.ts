import { randomUUID } from "node:crypto";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Report } from "../../core/report.ts";
import { type Certificate, certify } from "../../core/shadow/certificate.ts";
import { measureOf } from "../../core/shadow/measure.ts";
import { impersonal, type PairReport } from "../../core/shadow/pairs.ts";
import type { ShadowView } from "../../core/shadow/view.ts";
import { mustExist } from "../../core/weights.ts";
import type { EventHub } from "../events.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";
import { type ColorIdentity, identityOf, sameIdentity } from "./identity.ts";
import { PairKeeper } from "./pair-book.ts";
import type { SavedShadows } from "./shadow-file.ts";

/** A shadow as somebody asked for it. */
export interface Shadow {
  readonly color: string;
  /** Above 0 and up to 100. */
  readonly percent: number;
  /** The color that is compared with: the one with the most weight. */
  readonly against: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly by: string;
  readonly reason: string;
  readonly identities: { readonly main: ColorIdentity; readonly shadow: ColorIdentity };
}

export interface ShadowsOptions {
  readonly config: () => Pick<Config, "retry" | "predictions" | "shadow">;
  readonly store: Store;
  readonly watch: TargetWatch;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventHub;
  /** Called after each change of the setting. */
  readonly onChange?: () => void;
}

/** Who asks, and why. */
interface By {
  readonly who: string;
  readonly why?: string | undefined;
}

/** How often what runs at the two colors is looked at, in milliseconds. */
const LOOK = 1000;

/** The color that gets copies of requests, and what is found by comparing its answers. */
export class Shadows {
  readonly pairs = new PairKeeper();
  readonly #options: ShadowsOptions;
  #running: Shadow | undefined;
  #view: ShadowView | undefined;
  /** The pair that was compared last. */
  #last: string | undefined;
  /** How the pairs that come in are compared. */
  #measure = "";
  #looked = 0;

  constructor(options: ShadowsOptions) {
    this.#options = options;
  }

  get running(): Shadow | undefined {
    return this.#running;
  }

  /** @throws Refusal nothing has changed */
  start(color: string, percent: number, by: By): Shadow {
    const { store, config } = this.#options;
    const { weights } = store.view.routing;
    mustExist(color, Object.keys(weights));
    if (config().retry.idempotent_paths.length === 0) {
      throw new Refusal(
        "nothing_to_copy",
        "retry.idempotent_paths names no path, so no request may be copied; expected at least one, such as /api/predict/.",
      );
    }
    if (weights[color]! > 0) {
      throw new Refusal(
        "color_has_weight",
        `${color} has weight ${weights[color]}, and a shadow serves nobody; expected a color of weight 0.`,
      );
    }
    if (!store.view.isAvailable(color))
      throw new Refusal("no_healthy_target", `${color} has no healthy target to send copies to.`);
    store.mustBeOpen();
    return this.#run(color, percent, by);
  }

  #run(color: string, percent: number, { who, why = "" }: By): Shadow {
    const { clock, events, log } = this.#options;
    const against = this.#heaviest();
    const before = this.#running;
    const goesOn = before?.color === color && before.against === against;
    const identities = goesOn ? before.identities : this.#identities(color, against);
    const since = goesOn ? before.since : clock.now();
    this.#running = { color, percent, against, since, by: who, reason: why, identities };
    if (!goesOn) this.#begin();
    this.#publish(this.#view!.id);
    events.publish("shadow", { event: "started", color, against, percent, who, why });
    log.info({ color, against, percent, who, why }, `${color} gets copies of ${percent} % of requests.`);
    this.#options.onChange?.();
    return this.#running;
  }

  /** Everything that is worth to outlive a restart. */
  get saved(): SavedShadows {
    const pairs = this.pairs.all().map(([key, report]) => [key, this.#chosen(report)] as const);
    return { running: this.#running ?? null, last: this.#last ?? null, pairs };
  }

  /** Goes on with what was saved, before the first snapshot. */
  restore({ running, last, pairs }: SavedShadows): void {
    for (const [key, report] of pairs) this.pairs.put(key, report);
    this.#last = last ?? undefined;
    const { weights } = this.#options.store.view.routing;
    if (running === null || weights[running.color] !== 0 || weights[running.against] === undefined) return;
    this.#running = running;
    this.#begin();
    this.#publish(this.#view!.id);
  }

  /** Pairs count for these versions from now on. */
  #begin(): void {
    const id = randomUUID();
    const { color, against, percent } = this.#running!;
    this.#measure = this.#measureNow();
    this.#last = this.#keyOf(this.#running!);
    this.pairs.begin(id, this.#last);
    this.#view = { id, color, against, percent, measure: this.#measure };
  }

  #publish(id: string): void {
    const { color, against, percent } = this.#running!;
    this.#view = { id, color, against, percent, measure: this.#measure };
    this.#options.store.setShadow(this.#view);
  }

  /** False when none runs. */
  stop({ who, why = "" }: By): boolean {
    const before = this.#running;
    if (before === undefined) return false;
    this.pairs.end();
    this.#running = undefined;
    this.#view = undefined;
    this.#options.store.setShadow(undefined);
    const { color } = before;
    this.#options.events.publish("shadow", { event: "ended", color, who, why });
    this.#options.log.info({ color, who, why }, `${color} gets no copies any more${why && `: ${why}`}`);
    this.#options.onChange?.();
    return true;
  }

  /** Looks at what has become of the two colors: called with every snapshot and report, and a new configuration. */
  check(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { weights } = this.#options.store.view.routing;
    const { color, against } = running;
    if (weights[color] === undefined || weights[color] > 0)
      return void this.stop({ who: "sluice", why: `${color} has weight now` });
    if (against !== this.#heaviest()) return this.#anew(`${this.#heaviest()} has the most weight now`);
    const now = this.#identities(color, against);
    const main = sameIdentity(running.identities.main, now.main);
    const shadow = sameIdentity(running.identities.shadow, now.shadow);
    if (main === undefined) return this.#anew(`${against} runs another version`);
    if (shadow === undefined) return this.#anew(`${color} runs another version`);
    if (this.#measure !== this.#measureNow())
      return this.#anew("the configuration compares predictions in another way");
    if (this.#keyOf({ identities: { main, shadow } }) === this.#keyOf(running)) return;
    // what was unknown is known now: the same pair under its name
    const found = this.pairs.of(this.#keyOf(running));
    this.#running = { ...running, identities: { main, shadow } };
    this.pairs.put(this.#keyOf(this.#running), found);
    this.#begin();
    this.#publish(this.#view!.id);
  }

  /** Another pair of versions: its evidence is its own. */
  #anew(why: string): void {
    const { color } = this.#running!;
    const against = this.#heaviest();
    this.#running = { ...this.#running!, against, identities: this.#identities(color, against) };
    this.#begin();
    this.#publish(this.#view!.id);
    this.#options.events.publish("shadow", { event: "reset", color, against, why });
    this.#options.log.info({ color, against, why }, `The comparison of ${color} begins anew: ${why}.`);
    this.#options.onChange?.();
  }

  note({ shadow }: Report): void {
    if (shadow !== undefined) this.pairs.note(shadow);
    const now = this.#options.clock.now();
    if (now - this.#looked < LOOK) return;
    this.#looked = now;
    this.check();
  }

  /** What is known of the pair that is compared, or was compared last. */
  found(): PairReport | undefined {
    return this.#last === undefined ? undefined : this.#chosen(this.pairs.of(this.#last));
  }

  /** Without requests' bodies and queries, unless they are to be kept now: who takes that back wants them gone. */
  #chosen(report: PairReport): PairReport {
    if (this.#options.config().shadow.bodies) return report;
    return { ...report, worst: report.worst.map(impersonal) };
  }

  /** Whether predictions are read, so that there is something to compare. */
  get compares(): boolean {
    return this.#options.config().predictions !== undefined;
  }

  /** What they show. */
  certified(): Certificate | undefined {
    const found = this.found();
    return found && certify(found.all);
  }

  /** What the pairs of two versions show, by their digests, as the configuration compares them now. */
  certificate(main: string, shadow: string): Certificate {
    return certify(this.pairs.of(pairKey(main, shadow, this.#measureNow())).all);
  }

  /** Two versions; those that do not say what they run are told apart by where they listen. */
  #keyOf({ identities: { main, shadow } }: Pick<Shadow, "identities">): string {
    const name = ({ digest, urls }: ColorIdentity) => (digest === "" ? `at ${urls}` : digest);
    return pairKey(name(main), name(shadow), this.#measure);
  }

  #measureNow(): string {
    const { predictions, shadow } = this.#options.config();
    return measureOf(predictions, shadow);
  }

  #identities(color: string, against: string): Shadow["identities"] {
    const { store, watch } = this.#options;
    return { main: identityOf(store, watch, against), shadow: identityOf(store, watch, color) };
  }

  #heaviest(): string {
    const entries = Object.entries(this.#options.store.view.routing.weights);
    return entries.reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  }
}

function pairKey(main: string, shadow: string, measure: string): string {
  return `${main} | ${shadow} | ${measure}`;
}
