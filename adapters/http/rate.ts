import { Failure } from "../../domain/failure.ts";
import type { Instant } from "../../domain/time.ts";
import type { Rate } from "../settings.ts";

interface Bucket {
  tokens: number;
  filledAt: Instant;
}

// So many callers are remembered; whoever has not been seen for longest is forgotten first, as one with a full bucket.
const MAX_CALLERS = 10_000;

/** A token bucket for each caller: takes one token, or throws when to come back. */
export function createLimiter(rate: Rate | undefined) {
  if (rate === undefined) return () => {};
  const { perSecond, burst } = rate;
  const buckets = new Map<string, Bucket>();

  function bucketOf(caller: string, now: Instant): Bucket {
    const bucket = buckets.get(caller) ?? { tokens: burst, filledAt: now };
    buckets.delete(caller);
    buckets.set(caller, bucket);
    const oldest = buckets.keys().next().value;
    if (buckets.size > MAX_CALLERS && oldest !== undefined) buckets.delete(oldest);
    return bucket;
  }

  return (caller: string, now: Instant): void => {
    const bucket = bucketOf(caller, now);
    const seconds = Math.max(0, now - bucket.filledAt) / 1000;
    bucket.tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
    bucket.filledAt = now;
    if (bucket.tokens < 1) {
      const retryAfterSeconds = Math.ceil((1 - bucket.tokens) / perSecond);
      const detail = `At most ${perSecond} requests a second are taken from one caller: come back later.`;
      throw new Failure("rate_limited", detail, { retryAfterSeconds });
    }
    bucket.tokens -= 1;
  };
}
