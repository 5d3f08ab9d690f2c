import { EARLIEST, HOUR, type Instant, isoTime, MINUTE } from "./time.ts";

// One rule for the clocks of clients, for events and for tracked values.

/** The state of a sender's clock, as one batch shows it. */
export interface SenderClock {
  /** Milliseconds that are taken off every timestamp of the sender; 0 where no correction is needed. */
  readonly shift: number;
  /** Milliseconds from the batch's `sent_at` to its arrival; negative where the clock is ahead. */
  readonly delay: number;
}

/** The clock of a sender that says nothing about it. */
export const UNKNOWN_CLOCK: SenderClock = { shift: 0, delay: 0 };

/**
 * Wrong clocks are wrong by hours and days. A shift in whole steps of this size is the same for every batch of a sender,
 * however long each was on its way. A difference of a few seconds shows transit time rather than a wrong clock: to correct
 * by it would reorder the events of a user.
 */
const STEP = 5 * MINUTE;

/**
 * Compares a sender's clock with the server's. A `sent_at` in the future proves that the clock is ahead. One in the past
 * proves nothing, because the batch may have waited for a retry; so no timestamp is moved forward.
 *
 * @example senderClock(now + 2 * HOUR - 6_000, now).shift === 2 * HOUR
 */
export function senderClock(sent_at: Instant | null | undefined, now: Instant): SenderClock {
  if (sent_at === undefined || sent_at === null) return UNKNOWN_CLOCK;
  const delay = now - sent_at;
  return { delay, shift: Math.max(0, Math.round(-delay / STEP)) * STEP };
}

/** A clock that is ahead by no more than this is not corrected. */
const TOLERANCE = HOUR;

/** When something happened, as the server stores it. */
export interface Occurrence {
  readonly occurred_at: Instant;
  /** The client's own timestamp where another time is stored in its place, else null. */
  readonly client_timestamp: Instant | null;
  /** The latest instant at which it can have happened; never before `occurred_at`. Not stored. */
  readonly latest_at: Instant;
}

/**
 * Decides when something happened. Without a timestamp it happened when it arrived. A timestamp more than an hour in the
 * future, after the sender's shift, counts as of its arrival: to refuse it would lose what a laptop tracked before its
 * clock was set right.
 *
 * `latest_at` is what the timestamp would be on a clock that showed `sent_at` on arrival: no clock of this sender is
 * further behind.
 */
export function occurrenceOf(
  timestamp: Instant | null | undefined,
  now: Instant,
  { shift, delay }: SenderClock,
): Occurrence {
  if (timestamp === undefined || timestamp === null) {
    return { occurred_at: now, client_timestamp: null, latest_at: now };
  }
  const shifted = Math.max(EARLIEST, timestamp - shift);
  const occurred_at = shifted > now + TOLERANCE ? now : shifted;
  return {
    occurred_at,
    client_timestamp: occurred_at === timestamp ? null : timestamp,
    latest_at: Math.max(occurred_at, Math.min(now, timestamp + delay)),
  };
}

/** Says what is wrong with a time that must not be in the future; undefined where it is not, within an hour. */
export function futureFault(instant: Instant, now: Instant): string | undefined {
  if (instant <= now + TOLERANCE) return undefined;
  return `must not be more than one hour ahead of the server's clock, which shows ${isoTime(now)}`;
}
