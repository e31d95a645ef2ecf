/** A moment on New York's wall clock. `weekday`: 0 is Sunday, 6 Saturday. */
export interface PickupTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
}

export const DAY = 86_400;

const ZERO = "0".charCodeAt(0);

const pattern =
  /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: UTC|Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/;

/**
 * Reads a pickup time: `2015-05-07 19:52:06 UTC`, the same without ` UTC`, or ISO 8601 with `T`, with or without `Z`
 * or an offset. Seconds may be missing, fractions of a second are dropped.
 *
 * The digits are New York's wall clock whatever zone is written behind them: the data set labels local times "UTC", and
 * clients that copy its format must get the same hour. An offset is therefore checked for its form and then ignored.
 *
 * @returns undefined for any other text, and for moments that do not exist, such as 30 February or 24:00.
 */
export function parsePickupDatetime(text: string): PickupTime | undefined {
  if (!pattern.test(text)) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = text[16] === ":" ? twoDigits(text, 17) : 0;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return { year, month, day, hour, minute, second, weekday: weekdayOf(daysSinceEpoch(year, month, day)) };
}

/** Seconds from 1970-01-01 00:00 to this moment, both on the same wall clock. */
export function wallSeconds(time: PickupTime): number {
  const days = daysSinceEpoch(time.year, time.month, time.day);
  return days * DAY + time.hour * 3600 + time.minute * 60 + time.second;
}

/** The moment that many wall-clock seconds after 1970-01-01 00:00; the inverse of `wallSeconds`. */
export function fromWallSeconds(seconds: number): PickupTime {
  const days = Math.floor(seconds / DAY);
  const rest = seconds - days * DAY;
  const hour = Math.floor(rest / 3600);
  const minute = Math.floor((rest - hour * 3600) / 60);
  return {
    ...civilFromDays(days),
    hour,
    minute,
    second: rest - hour * 3600 - minute * 60,
    weekday: weekdayOf(days),
  };
}

/** `2015-05-07 19:52:06`, the form of the data set without its misleading zone. */
export function formatPickupDatetime(time: PickupTime): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${String(time.year).padStart(4, "0")}-${two(time.month)}-${two(time.day)}`;
  return `${date} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

/** The number that two digits write. Once the form is sure, this is faster than a pattern's groups. */
function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * ZERO;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

/** Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Howard Hinnant: civil_from_days. */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  const day = dayOfYear - Math.floor((153 * mp + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
