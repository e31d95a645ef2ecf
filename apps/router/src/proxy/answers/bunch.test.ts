import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bunch } from "./bunch.ts";

describe("work in bunches", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("waits a quarter of a second for more, from when the first came", () => {
    const work = vi.fn();
    const bunch = new Bunch(work);
    bunch.add(false);
    vi.advanceTimersByTime(200);
    bunch.add(false);
    vi.advanceTimersByTime(49);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(work).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1000);
    expect(work).toHaveBeenCalledOnce();
  });

  it("is done at once when a bunch is full, but in a turn of its own, and then no more", () => {
    const work = vi.fn();
    const bunch = new Bunch(work);
    bunch.add(false);
    bunch.add(true);
    bunch.add(true);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(work).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1000);
    expect(work).toHaveBeenCalledOnce();
  });

  it("can ask for another bunch while it is done", () => {
    let left = 3;
    const work = vi.fn(() => {
      if (--left > 0) bunch.add(left > 1);
    });
    const bunch = new Bunch(work);
    bunch.add(true);
    vi.advanceTimersByTime(1); // a fake immediate that another one orders
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(250);
    expect(work).toHaveBeenCalledTimes(3);
  });

  it("is not done when it is cleared", () => {
    const work = vi.fn();
    const bunch = new Bunch(work);
    bunch.add(false);
    bunch.add(true);
    bunch.clear();
    vi.advanceTimersByTime(1000);
    expect(work).not.toHaveBeenCalled();
    bunch.add(false);
    vi.advanceTimersByTime(250);
    expect(work).toHaveBeenCalledOnce();
  });
});
