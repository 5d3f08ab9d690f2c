type Interval = readonly [lower: number, upper: number];

function runningIntersection(previous: Interval | null, current: Interval): Interval {
  if (previous === null) return current;
  const lower = Math.max(previous[0], current[0]);
  const upper = Math.min(previous[1], current[1]);
  return lower <= upper ? [lower, upper] : previous;
}

/** Always-valid figures as somebody was shown them: a later look may sharpen them, but never take them back. */
export interface Look {
  /** What the figures are of: `split`, or a variant's metric. */
  readonly subject: string;
  readonly p_value: number;
  /** Null where there is only a p-value. */
  readonly interval: Interval | null;
}

export const SPLIT = "split";

export const subjectOf = (variantId: number, metricName: string): string => `${variantId} ${metricName}`;

/** Both looks together: the least p-value, and what both intervals allow. */
export function sharpen(earlier: Look | undefined, now: Look): Look {
  if (earlier === undefined) return now;
  return {
    subject: now.subject,
    p_value: Math.min(earlier.p_value, now.p_value),
    interval: now.interval === null ? earlier.interval : runningIntersection(earlier.interval, now.interval),
  };
}

/** Those of the looks that tell more than the earlier ones: only these are worth keeping. */
export const news = (earlier: readonly Look[], now: readonly Look[]): readonly Look[] =>
  now.filter((look) => {
    const known = earlier.find(({ subject }) => subject === look.subject);
    return (
      known === undefined ||
      look.p_value < known.p_value ||
      look.interval?.[0] !== known.interval?.[0] ||
      look.interval?.[1] !== known.interval?.[1]
    );
  });
