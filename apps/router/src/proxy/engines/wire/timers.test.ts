import { expect, it, vi } from "vitest";
import { stopWaiting, type Timed, type TimeoutSettings, TimerQueue, Timers } from "./timers.ts";

const TIMEOUTS: TimeoutSettings = {
  client_header: 1000,
  client_body: 1000,
  keepalive: 1000,
  connect: 1000,
  response_header: 1000,
  stream_idle: 1000,
};

/** Notes its name when its time is up. */
class Waiter implements Timed {
  queue: TimerQueue | undefined;
  deadline = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  readonly #name: string;
  readonly #then: ((queue: TimerQueue) => void) | undefined;

  constructor(name: string, then?: (queue: TimerQueue) => void) {
    this.#name = name;
    this.#then = then;
  }

  onTimeout(queue: TimerQueue): void {
    ended.push(this.#name);
    this.#then?.(queue);
  }
}

const ended: string[] = [];
const waiters = (...names: string[]) => names.map((name) => new Waiter(name));
const taken = () => ended.splice(0).join("");

it("ends those whose time is up, oldest first, and no others", () => {
  const queue = new TimerQueue(10);
  waiters("a", "b", "c").forEach((each, i) => {
    queue.add(each, i * 5);
  });
  queue.expire(9);
  expect(taken()).toBe("");
  queue.expire(15);
  expect(taken()).toBe("ab");
  queue.expire(100);
  expect(taken()).toBe("c");
  queue.expire(200);
  expect(taken()).toBe("");
});

it("waits anew where one is added again", () => {
  const queue = new TimerQueue(10);
  const [a, b] = waiters("a", "b");
  queue.add(a!, 0);
  queue.add(b!, 1);
  queue.add(a!, 5);
  queue.expire(11);
  expect(taken()).toBe("b");
  queue.expire(15);
  expect(taken()).toBe("a");
});

it.each(["a", "b", "c"])("takes %s out of three", (name) => {
  const queue = new TimerQueue(10);
  const all = waiters("a", "b", "c");
  for (const each of all) queue.add(each, 0);
  stopWaiting(all["abc".indexOf(name)]!);
  stopWaiting(all["abc".indexOf(name)]!);
  queue.expire(10);
  expect(taken()).toBe("abc".replace(name, ""));
});

it("leaves one queue for another", () => {
  const short = new TimerQueue(5);
  const long = new TimerQueue(50);
  const [a, b] = waiters("a", "b");
  for (const each of [a!, b!]) short.add(each, 0);
  long.add(a!, 1);
  expect(a!.queue).toBe(long);
  short.expire(10);
  expect(taken()).toBe("b");
  long.expire(51);
  expect(taken()).toBe("a");
  expect(a!.queue).toBeUndefined();
});

it("lets others be taken out, and itself wait again, while times are up", () => {
  const queue = new TimerQueue(10);
  let now = 10;
  const late = new Waiter("l");
  const victim = new Waiter("v");
  const again = new Waiter("a", () => queue.add(again, now));
  const killer = new Waiter("k", () => {
    stopWaiting(victim);
    stopWaiting(late);
  });
  for (const each of [again, killer, victim, late]) queue.add(each, 0);
  queue.expire(10);
  expect(taken()).toBe("ak");
  queue.expire(19);
  expect(taken()).toBe("");
  now = 20;
  queue.expire(now);
  expect(taken()).toBe("a");
});

it("ends nobody twice where times are looked at while they are up", () => {
  const queue = new TimerQueue(10);
  const nested = new Waiter("n", () => queue.expire(10));
  for (const each of [nested, ...waiters("a", "b")]) queue.add(each, 0);
  queue.expire(10);
  expect(taken()).toBe("nab");
});

it("keeps its order when the time changes, also for those who wait", () => {
  const queue = new TimerQueue(100);
  const [a, b, c] = waiters("a", "b", "c");
  queue.add(a!, 0);
  queue.add(b!, 5);
  queue.setMilliseconds(10);
  queue.add(c!, 6);
  queue.expire(10);
  expect(taken()).toBe("a");
  queue.expire(16);
  expect(taken()).toBe("bc");
});

it("looks at a short time-out often, and at changed ones as often as they need", () => {
  vi.useFakeTimers();
  let now = 0;
  const pass = (milliseconds: number) => {
    for (let i = 0; i < milliseconds; i++) {
      now++;
      vi.advanceTimersByTime(1);
    }
  };
  const timers = new Timers({ ...TIMEOUTS, connect: 20 }, () => now);
  timers.connect.add(new Waiter("c"), now);
  timers.keepalive.add(new Waiter("k"), now);
  pass(19);
  expect(taken()).toBe("");
  pass(6);
  expect(taken()).toBe("c");
  timers.follow({ ...TIMEOUTS, keepalive: 50 });
  pass(24);
  expect(taken()).toBe("");
  pass(10);
  expect(taken()).toBe("k");
  timers.stop();
  timers.connect.add(new Waiter("s"), now);
  pass(2000);
  expect(taken()).toBe("");
  vi.useRealTimers();
});
