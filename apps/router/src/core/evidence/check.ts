/** Evidence that was computed from a NaN would compare as false for ever, so nothing unfit gets in. */

/** @throws RangeError unless it is a whole number of at least 0 */
export function checkCount(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(`${what} is ${value}; expected a whole number of at least 0.`);
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

/** @throws RangeError unless it is finite and above 0 */
export function checkPositive(value: number, what: string): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`${what} is ${value}; expected a finite number above 0.`);
}
