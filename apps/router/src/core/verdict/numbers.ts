/** Numbers as sentences have them. */

/** 3708 → "3,708". Whole numbers. */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** .0125 → "1.25 %". */
export function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))} %`;
}

/** Above this, only the power of ten says anything. */
const LARGE = 6;

/**
 * Evidence, given by its decimal logarithm, rounded down: 99.9 that must reach 100 must not read "100 < 100".
 */
export function evidence(log10: number): string {
  if (log10 === Number.NEGATIVE_INFINITY) return "0";
  if (log10 >= LARGE) return `10^${(Math.floor(log10 * 10) / 10).toFixed(1)}`;
  const e = 10 ** log10;
  // 10 ** log10(20) is 20.000000000000004 or 19.999999999999996
  const exact = Math.abs(e - Math.round(e)) < 1e-9 * e ? Math.round(e) : e;
  if (exact >= 10) return grouped(Math.floor(exact));
  if (exact >= 0.01) return String(Math.floor(exact * 100) / 100);
  return "under 0.01";
}

/** 400 → "400", 33.33… → "33.4": rounded up, as evidence is rounded down. */
export function threshold(value: number): string {
  const up = Math.ceil(value * 10 - 1e-9) / 10;
  return up >= 1e6 || Number.isInteger(up) ? grouped(up) : String(up);
}

/** Minutes in words: "40 seconds", "3 minutes", "5 hours", "2 days". */
export function duration(minutes: number): string {
  if (minutes < 1) return plural(Math.max(1, Math.round(minutes * 60)), "second");
  if (minutes < 120) return plural(Math.round(minutes), "minute");
  return minutes < 48 * 60
    ? plural(Math.round(minutes / 60), "hour")
    : plural(Math.round(minutes / 1440), "day");
}

export function plural(n: number, word: string): string {
  return `${grouped(n)} ${word}${n === 1 ? "" : "s"}`;
}
