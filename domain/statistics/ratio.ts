import type { Arm } from "./arm.ts";
import { covariance, type PairedMoments } from "./paired-moments.ts";
import type { Missing } from "./reason.ts";

/**
 * The arm of a ratio metric Σnumerator/Σdenominator (`y` over `x` of each user), for metrics per event rather than per
 * user. Variance by the delta method: (s²y − 2R·s_xy + R²·s²x)/x̄². Deng, Knoblich and Lu (2018), KDD.
 * NO_DATA when the denominators sum to 0, TOO_FEW_USERS below two users.
 */
export function ratioArm(moments: PairedMoments): Arm | Missing {
  const { x, y } = moments;
  if (x.n === 0 || x.mean === 0) return { reason: "NO_DATA" };
  if (x.n < 2) return { reason: "TOO_FEW_USERS" };
  const mean = y.mean / x.mean;
  const sum = y.m2 / (y.n - 1) - 2 * mean * covariance(moments) + (mean ** 2 * x.m2) / (x.n - 1);
  return { n: x.n, mean, variance: sum / x.mean ** 2 };
}
