import { Failure } from "../../../domain/failure.ts";
import type { Instant } from "../../../domain/time.ts";
import { clientAddress, clientNetwork } from "../../addresses.ts";
import type { Settings } from "../../settings.ts";
import type { HttpRequest } from "../message.ts";
import type { Caller } from "./access.ts";

interface Bucket {
  tokens: number;
  filledAt: Instant;
}

// Above this the bucket that was used least recently is evicted. An evicted bucket counts as full.
const MAX_BUCKETS = 10_000;

/**
 * Names the bucket of a request. A write key is public, so each of its clients has a bucket. Wrong keys have buckets of
 * their own: a client that tries keys must not use up the requests of others behind the same address.
 */
function bucketName(caller: Caller, client: () => string): string {
  if (caller.kind !== "key") return `${caller.kind} ${client()}`;
  return caller.scope === "write" ? `${caller.id} ${client()}` : caller.id;
}

/** Takes one token from the caller's bucket, or throws a refusal that says when to retry. */
export type Limiter = (caller: Caller, request: HttpRequest, now: Instant) => void;

/** A token bucket for each caller. */
export function createLimiter({ rate, trustedProxies }: Pick<Settings, "rate" | "trustedProxies">): Limiter {
  if (rate === undefined) return () => {};
  const { perSecond, burst } = rate;
  const buckets = new Map<string, Bucket>();

  function bucketOf(name: string, now: Instant): Bucket {
    const bucket = buckets.get(name) ?? { tokens: burst, filledAt: now };
    buckets.delete(name);
    buckets.set(name, bucket);
    const oldest = buckets.keys().next().value;
    if (buckets.size > MAX_BUCKETS && oldest !== undefined) buckets.delete(oldest);
    return bucket;
  }

  return (caller, { address, headers }, now) => {
    const client = (): string =>
      clientNetwork(clientAddress(address, headers["x-forwarded-for"], trustedProxies));
    const bucket = bucketOf(bucketName(caller, client), now);
    const seconds = Math.max(0, now - bucket.filledAt) / 1000;
    bucket.tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
    bucket.filledAt = now;
    if (bucket.tokens < 1) {
      const retryAfterSeconds = Math.ceil((1 - bucket.tokens) / perSecond);
      const detail = `This caller sends more than ${perSecond} requests a second: send fewer, and retry later.`;
      throw new Failure("rate_limited", detail, { retryAfterSeconds });
    }
    bucket.tokens -= 1;
  };
}
