/**
 * Tails and quantiles of the normal and Student's t distributions.
 *
 * A tail is always computed as itself: `1 − cdf` returns 0 where the truth is 4e-31. The special functions come from
 * @stdlib (Cephes, FreeBSD and Boost algorithms), the only place where it is imported.
 */
import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammaln from "@stdlib/math-base-special-gammaln";

/** ln Γ(x) for x > 0. */
export const logGamma: (x: number) => number = gammaln;

/** Density φ(z) of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Φ(z) = P(Z ≤ z). The upper tail is Φ(−z), which keeps its digits where Φ(z) is 1 to the last. */
export function normalLowerTail(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}

/** The z with Φ(z) = p; ∓∞ at 0 and 1. */
export function normalQuantile(p: number): number {
  return -Math.SQRT2 * erfcinv(2 * p);
}

/** P(T > t) for Student's t; `degreesOfFreedom` > 0, need not be whole. Abramowitz and Stegun 26.7.1. */
export function studentUpperTail(t: number, degreesOfFreedom: number): number {
  if (t < 0) return 1 - studentUpperTail(-t, degreesOfFreedom);
  const square = t * t;
  const total = degreesOfFreedom + square;
  // Whichever form takes its argument without a subtraction from 1.
  return square > degreesOfFreedom
    ? betainc(degreesOfFreedom / total, degreesOfFreedom / 2, 0.5) / 2
    : betainc(square / total, 0.5, degreesOfFreedom / 2, true, true) / 2;
}

/** Density of Student's t. */
export function studentDensity(t: number, degreesOfFreedom: number): number {
  const tail = ((degreesOfFreedom + 1) / 2) * Math.log1p((t * t) / degreesOfFreedom);
  const half = degreesOfFreedom / 2;
  const logBeta = logGamma(half) + logGamma(0.5) - logGamma(half + 0.5);
  return Math.exp(-tail - logBeta) / Math.sqrt(degreesOfFreedom);
}

/**
 * The t with P(T ≤ t) = p.
 * Newton's method on ln P(T > eˢ), which is concave and falling in s: from any start the second step is right of
 * the root and the rest approach it from there, so it needs neither a bracket nor a damped step.
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -upperStudentQuantile(p, degreesOfFreedom);
  return upperStudentQuantile(1 - p, degreesOfFreedom);
}

function upperStudentQuantile(upperTail: number, degreesOfFreedom: number): number {
  if (upperTail === 0) return Number.POSITIVE_INFINITY;
  let t = -normalQuantile(upperTail);
  for (let step = 0; step < 100; step++) {
    const tail = studentUpperTail(t, degreesOfFreedom);
    const change = (Math.log(tail / upperTail) * tail) / (t * studentDensity(t, degreesOfFreedom));
    t *= Math.exp(change);
    if (Math.abs(change) < 1e-13) break;
  }
  return t;
}
