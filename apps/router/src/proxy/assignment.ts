import { userHash } from "../core/affinity.ts";
import { chooseColor } from "../core/choose-color.ts";
import { type Outcome, outcomeRow } from "../core/outcome.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";
import type { Charging } from "./rollout/charging.ts";

/**
 * What is settled for a request when it begins, whatever snapshot is in force at its end: its id, its color, and what it
 * counts as evidence for.
 */
export class Assignment {
  readonly facts: RequestFacts;
  /** `X-Request-Id`: the client's if it is well formed, else a new one. */
  readonly id: string;
  /** The color by which this request is counted as evidence. */
  readonly assigned: LiveColor;
  /** An override named the color: no failover, and no evidence. */
  readonly overridden: boolean;
  /** Value of a `Set-Cookie` field that gives a new client its affinity key. */
  readonly setCookie: string | undefined;
  /** By what it counts for a rollout; undefined where none runs or this request is no evidence for it. */
  readonly charging: Charging | undefined;
  /** The `grpc-status` of the answer to a gRPC call, once the engine has read it. */
  grpcStatus: number | undefined;
  protected readonly plane: DataPlane;
  /** The affinity key; undefined where the color was drawn without one. */
  protected readonly key: string | undefined;
  /** Its evidence is still to come. */
  #evident: boolean;

  constructor(plane: DataPlane, facts: RequestFacts) {
    this.plane = plane;
    this.facts = facts;
    this.id = plane.idOf(facts);
    const forced = plane.forcedColor(facts);
    this.overridden = forced !== undefined;
    const affinity = this.overridden ? undefined : plane.affinity?.(facts);
    const key = affinity?.key;
    this.key = key;
    this.setCookie = affinity?.setCookie;
    this.assigned = forced ?? drawColor(plane, key);
    this.charging = this.overridden ? undefined : plane.chargings.current[this.assigned.index];
    const { share, counters } = this.assigned;
    const random = key === undefined && plane.table.split === "random";
    this.#evident = !this.overridden && random && share > 0 && share < 1;
    if (key === undefined) this.charging?.assign();
    if (this.overridden) counters.overridden++;
    else counters.assigned++;
  }

  /** The client's own address, seen through trusted proxies. */
  get client(): string {
    return this.plane.clientOf(this.facts);
  }

  /** A hash of the affinity key; undefined without one. */
  get user(): number | undefined {
    return this.key === undefined ? undefined : userHash(this.key);
  }

  /**
   * Books whether an answer of the first attempt was bad in something that only its reader can see; also after the end. At most
   * once for each request and tally; nothing is booked where {@link charging} is undefined or does not count this tally.
   */
  charge(tally: string, bad: boolean): void {
    this.charging?.add(tally, bad, this.key);
  }

  /**
   * One record for each client request: the first attempt at the assigned color, or that there could be none.
   * @param status the upstream's own; 0 where there was none @param duration milliseconds from sending to the answer's end
   */
  protected evidence(outcome: Outcome, status: number, duration: number): void {
    const { grpcStatus, key } = this;
    this.charging?.ended({ outcome, status, grpcStatus, duration, key });
    if (!this.#evident) return;
    this.#evident = false;
    const row = outcomeRow(outcome);
    if (row.blame === "client") return;
    this.assigned.counters.evidenceRequests++;
    if (row.bad) this.assigned.counters.evidenceBad++;
  }
}

/** Before the first snapshot nothing has weight, and the first color has no target either. */
function drawColor({ colors, table, draws }: DataPlane, key: string | undefined): LiveColor {
  return colors[chooseColor(table, key, draws)] ?? colors[0]!;
}
