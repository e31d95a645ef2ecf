/** Evidence that was computed from a NaN would compare as false for ever, so nothing unfit gets in. */

/** @throws RangeError unless it is a whole number of at least 0 that can be counted on */
export function checkCount(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${what} is ${value}; expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
}

/** @throws RangeError unless 0 ≤ value ≤ 1 */
export function checkShare(value: number, what: string): number {
  if (value >= 0 && value <= 1) return value;
  throw new RangeError(`${what} is ${value}; expected a number from 0 to 1.`);
}

/** @throws RangeError unless 0 < value < 1 */
export function checkInside(value: number, what: string): number {
  if (value > 0 && value < 1) return value;
  throw new RangeError(`${what} is ${value}; expected a number above 0 and below 1.`);
}

/** Beyond it, products of ratios are no finite numbers any more, or say nothing. */
const LARGEST_RATIO = 1e6;

/** A tolerated ratio of rates, or odds. @throws RangeError unless it is from 1e-6 to 1e6 */
export function checkRatio(value: number, what: string): number {
  if (value >= 1 / LARGEST_RATIO && value <= LARGEST_RATIO) return value;
  throw new RangeError(`${what} is ${value}; expected a number from 0.000001 to 1,000,000.`);
}

/** The risk of being wrong. @throws RangeError unless it is at least 1e-12, so that its inverse is a threshold, and below 1 */
export function checkRisk(value: number, what: string): number {
  if (value >= 1e-12 && value < 1) return value;
  throw new RangeError(`${what} is ${value}; expected a number below 1, and at least 1e-12.`);
}
