import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { Dialer } from "../targets/dialer.ts";
import { targetProbe } from "../targets/probe.ts";
import { RecentActivity } from "./activity.ts";
import { CollectorWatch } from "./collector-watch.ts";
import type { ControlPlaneOptions } from "./control-plane-options.ts";
import { type Disk, disk } from "./disk.ts";
import { EventHub } from "./events.ts";
import type { Feedback } from "./feedback/feedback.ts";
import { truthGuard } from "./feedback/guard.ts";
import { createFeedback, judgedNow } from "./feedback/open.ts";
import { GateKeeper } from "./gate-keeper.ts";
import { askTarget } from "./gates/ask.ts";
import { candidateGates } from "./gates/gates.ts";
import { ConfiguredHooks } from "./hooks/hooks.ts";
import { ReportBook } from "./report-book.ts";
import { createRollouts } from "./rollout/create.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import { shadowGate } from "./shadow/gate.ts";
import { ANSWER_GUARDS } from "./shadow/guards.ts";
import { PredictionsBook } from "./shadow/predictions-book.ts";
import { ShadowFile } from "./shadow/shadow-file.ts";
import { Shadows } from "./shadow/shadows.ts";
import type { Store } from "./store.ts";
import { type HealthChange, TargetWatch } from "./target-watch.ts";
import { WeightChanges } from "./weight-changes.ts";

export interface PartsOptions extends Omit<ControlPlaneOptions, "config"> {
  readonly clock: Clock;
  readonly store: Store;
  /** In force now; a reload replaces it. */
  readonly config: () => Config;
  readonly onHealth: (change: HealthChange) => void;
}

/** What the control plane is made of, each part with those that it asks. Nothing runs yet, and nobody hears news yet. */
export class Parts {
  readonly store: Store;
  readonly book: ReportBook;
  readonly activity: RecentActivity;
  readonly events: EventHub;
  readonly weightChanges: WeightChanges;
  readonly watch: TargetWatch;
  readonly feedback: Feedback;
  readonly shadows: Shadows;
  readonly shadowFile: ShadowFile;
  readonly predictions: PredictionsBook;
  readonly rollouts: Rollouts;
  readonly gateKeeper: GateKeeper;
  readonly collector: CollectorWatch;
  readonly #options: PartsOptions;
  readonly #disk: Disk;

  constructor(options: PartsOptions) {
    const { store, clock, log, channel, config, handed } = options;
    this.#options = options;
    this.#disk = options.disk ?? disk;
    this.store = store;
    this.book = new ReportBook(channel);
    this.activity = new RecentActivity(() => this.book.totals(), clock);
    this.events = new EventHub(clock.now().toString(36));
    this.weightChanges = new WeightChanges(handed?.weightChanges);
    this.watch = this.#createWatch();
    this.feedback = this.#createFeedback();
    this.shadows = this.#createShadows();
    this.shadowFile = this.#createShadowFile();
    this.predictions = new PredictionsBook({ store, watch: this.watch, book: this.book, clock, config });
    this.rollouts = this.#createRollouts();
    this.gateKeeper = new GateKeeper(store, clock, log);
    this.collector = new CollectorWatch(() => config().tracing, clock, log);
  }

  #createWatch(): TargetWatch {
    const { config, clock, log, random = Math.random, probe = targetProbe(clock), onHealth } = this.#options;
    const known = this.#options.handed?.health ?? [];
    return new TargetWatch({ settings: config(), clock, random, probe, log, onHealth, known });
  }

  #createFeedback(): Feedback {
    const { store, clock, log, handed } = this.#options;
    const evidence = { judged: () => judgedNow(this.rollouts, store), sink: () => this.rollouts.sink };
    const parts = { clock, log, disk: this.#disk, store, watch: this.watch };
    const feedback = createFeedback({
      ...{ ...parts, config: this.#options.config(), evidence },
      refresh: () => this.book.refresh(),
    });
    if (handed) feedback.hold();
    return feedback;
  }

  #createShadows(): Shadows {
    const { store, config, clock, log } = this.#options;
    const onChange = () => void this.shadowFile.save();
    return new Shadows({ config, store, watch: this.watch, clock, log, events: this.events, onChange });
  }

  #createShadowFile(): ShadowFile {
    const { config, clock, log } = this.#options;
    return new ShadowFile({
      ...{ folder: config().state, disk: this.#disk, clock, log },
      shadows: this.shadows,
    });
  }

  #createRollouts(): Rollouts {
    const { store, config, clock, log, ask = askTarget(new Dialer()) } = this.#options;
    const { book, watch, activity, events } = this;
    const truth = truthGuard((digest, q) => this.feedback.errorQuantile(digest, q));
    const lastCheck = (url: string) => watch.lastCheck(url);
    const more = {
      kinds: [...ANSWER_GUARDS, truth],
      gates: [...candidateGates({ config, ask, lastCheck }), shadowGate(this.shadows)],
      hooks: new ConfiguredHooks({ configured: () => config().hooks, log }),
      freeze: (color: string) => this.predictions.referenceOf(color),
    };
    const parts = { store, book, watch, activity, events, clock, log, config, disk: this.#disk };
    return createRollouts({ ...parts, more });
  }
}
