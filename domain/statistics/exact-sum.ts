/**
 * A sum kept as the unevaluated pair `high + low` of two doubles (double-double, some 32 digits), so that a value of
 * 1e12 that is taken back leaves no trace. `high` alone is the sum rounded to a double.
 *
 * Sums of squares lose the spread of large values in one double, and a running variance depends on the order of arrival
 * and cannot undo a value. Source: Dekker (1971), Numerische Mathematik 18; Knuth, TAOCP 2, 4.2.2.
 */
export interface ExactSum {
  readonly high: number;
  readonly low: number;
}

/** The sum of nothing. */
export const noSum: ExactSum = { high: 0, low: 0 };

/** The sum with one more value, for example `addValue(addValue(noSum, 1e12), -1e12)` is `noSum`. */
export const addValue = (sum: ExactSum, value: number): ExactSum => addSums(sum, { high: value, low: 0 });

/** The sum with one more product: `addProduct(yy, y, y)` adds y², `addProduct(yy, y, -y)` takes it away again. */
export const addProduct = (sum: ExactSum, x: number, y: number): ExactSum => addSums(sum, product(x, y));

/** Both sums together. The order of many additions changes at most the 31st digit. */
export function addSums(a: ExactSum, b: ExactSum): ExactSum {
  const high = twoSum(a.high, b.high);
  const low = twoSum(a.low, b.low);
  const once = quickTwoSum(high.high, high.low + low.high);
  return quickTwoSum(once.high, once.low + low.low);
}

/**
 * Σ(x−x̄)(y−ȳ) over n ≥ 1 users, from Σxy, Σx and Σy: the difference of nearly equal numbers, taken in double-double.
 * With y = x it is Σ(x−x̄)², where rounding may leave a tiny negative number: see `centredSquares`.
 */
export function centredProducts(n: number, xy: ExactSum, x: ExactSum, y: ExactSum): number {
  // Divided at the end: a third of a large square has no exact pair, while n·Σxy − Σx·Σy mostly has.
  const { high, low } = addSums(multiply(xy, { high: n, low: 0 }), negative(multiply(x, y)));
  return (high + low) / n;
}

/** Σ(y−ȳ)² over n ≥ 1 users, never negative, from Σy² and Σy. */
export const centredSquares = (n: number, yy: ExactSum, y: ExactSum): number =>
  Math.max(0, centredProducts(n, yy, y, y));

const negative = ({ high, low }: ExactSum): ExactSum => ({ high: -high, low: -low });

/** a + b exactly. */
function twoSum(a: number, b: number): ExactSum {
  const high = a + b;
  const part = high - a;
  return { high, low: a - (high - part) + (b - part) };
}

/** a + b exactly, where |a| ≥ |b|. */
function quickTwoSum(a: number, b: number): ExactSum {
  const high = a + b;
  return { high, low: b - (high - a) };
}

const SPLITTER = 2 ** 27 + 1;

/** The upper half of a double's digits, and the rest. */
function halves(a: number): [number, number] {
  const scaled = SPLITTER * a;
  const upper = scaled - (scaled - a);
  return [upper, a - upper];
}

/** a·b exactly, as long as it neither overflows nor underflows. */
function product(a: number, b: number): ExactSum {
  const high = a * b;
  const [aUpper, aLower] = halves(a);
  const [bUpper, bLower] = halves(b);
  const low = aLower * bLower - (high - aUpper * bUpper - aLower * bUpper - aUpper * bLower);
  return { high, low };
}

function multiply(a: ExactSum, b: ExactSum): ExactSum {
  const { high, low } = product(a.high, b.high);
  return quickTwoSum(high, low + (a.high * b.low + a.low * b.high));
}
