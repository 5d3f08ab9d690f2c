import { DAY, HOUR, type Instant } from "../time.ts";

/** How long events are kept. */
export interface Keeping {
  /** Null for ever. */
  readonly days: number | null;
  /** Event types that are kept for another number of days. */
  readonly byType: Readonly<Record<string, number>>;
  /** Whether the number of removed events stays, by type and quarter of an hour. */
  readonly counts?: boolean | undefined;
}

/** The state of the removal of old events. */
export interface ExpiryProgress {
  /** Events that this process has removed. */
  readonly removed: number;
  /** Whether more of them are due. */
  readonly pending: boolean;
  /** When this process has last removed everything that was due; null before. */
  readonly last_run: Instant | null;
}

/** Whether anything is ever removed. */
export const expires = ({ days, byType }: Keeping): boolean =>
  days !== null || Object.keys(byType).length > 0;

/**
 * The hour (since 1970) before which events of a type are removed, -Infinity where all are kept. An hour goes when its last
 * moment is as many days ago, so that no event is removed early.
 */
export function firstKeptHour({ days, byType }: Keeping, eventType: string, now: Instant): number {
  const own = Object.hasOwn(byType, eventType) ? byType[eventType] : days;
  return own === null || own === undefined ? Number.NEGATIVE_INFINITY : Math.floor((now - own * DAY) / HOUR);
}
