/**
 * Tails and quantiles of the normal, Student's t and chi-squared distributions.
 *
 * A tail is always computed as itself: `1 − cdf` returns 0 where the truth is 4e-31. The special functions come from
 * @stdlib (Cephes, FreeBSD and Boost algorithms), the only place where it is imported.
 */
import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammainc from "@stdlib/math-base-special-gammainc";
import gammaln from "@stdlib/math-base-special-gammaln";

/** ln Γ(x) for x > 0. */
export const logGamma: (x: number) => number = gammaln;

/** Regularised incomplete beta function I_x(a, b), for x in [0, 1]. */
export function incompleteBeta(a: number, b: number, x: number): number {
  return betainc(x, a, b);
}

/** ln of the beta function B(a, b). */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Density φ(z) of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Φ(z) = P(Z ≤ z). */
export function normalLowerTail(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}

/** P(Z > z), accurate where Φ(z) is 1 to the last digit. */
export function normalUpperTail(z: number): number {
  return normalLowerTail(-z);
}

/** The z with Φ(z) = p; ∓∞ at 0 and 1. */
export function normalQuantile(p: number): number {
  return -Math.SQRT2 * erfcinv(2 * p);
}

/** The critical value z of a test with type I error `alpha`: the upper α quantile, or α/2 when it looks both ways. */
export function normalCriticalValue(alpha: number, sides: 1 | 2 = 2): number {
  return -normalQuantile(alpha / sides);
}

/** P(T > t) for Student's t; `degreesOfFreedom` > 0, need not be whole. Abramowitz and Stegun 26.7.1. */
export function studentUpperTail(t: number, degreesOfFreedom: number): number {
  if (t < 0) return 1 - studentUpperTail(-t, degreesOfFreedom);
  const square = t * t;
  const total = degreesOfFreedom + square;
  // Each of the two forms is asked only for the argument that it gets without subtraction from 1.
  return square > degreesOfFreedom
    ? betainc(degreesOfFreedom / total, degreesOfFreedom / 2, 0.5) / 2
    : betainc(square / total, 0.5, degreesOfFreedom / 2, true, true) / 2;
}

/** Density of Student's t. */
export function studentDensity(t: number, degreesOfFreedom: number): number {
  const tail = ((degreesOfFreedom + 1) / 2) * Math.log1p((t * t) / degreesOfFreedom);
  return Math.exp(-tail - logBeta(degreesOfFreedom / 2, 0.5)) / Math.sqrt(degreesOfFreedom);
}

/**
 * The t with P(T ≤ t) = p.
 * Newton's method on ln P(T > eˢ), which is concave and falling in s: from any start the second step stands right of
 * the root and the rest approach it from there, so neither a bracket nor a damped step is needed.
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -upperStudentQuantile(p, degreesOfFreedom);
  return upperStudentQuantile(1 - p, degreesOfFreedom);
}

/** The critical value t of a test with type I error `alpha`: the upper α quantile, or α/2 when it looks both ways. */
export function studentCriticalValue(alpha: number, degreesOfFreedom: number, sides: 1 | 2 = 2): number {
  return -studentQuantile(alpha / sides, degreesOfFreedom);
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

/** P(X > x) for chi-squared with `degreesOfFreedom`. Abramowitz and Stegun 26.4.19. */
export function chiSquaredUpperTail(x: number, degreesOfFreedom: number): number {
  return gammainc(x / 2, degreesOfFreedom / 2, true, true);
}
