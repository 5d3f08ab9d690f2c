import { expect, onTestFinished } from "vitest";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { Answered, Asking } from "../../../domain/reports/answer.ts";
import type { EventPage } from "../../../domain/reports/event-list.ts";
import type { FunnelQuestion } from "../../../domain/reports/funnel.ts";
import type { RetentionQuestion } from "../../../domain/reports/retention.ts";
import type { TrendQuestion } from "../../../domain/reports/trend.ts";
import type { FactsQuestion } from "../../../domain/reports/user-facts.ts";
import type { Storage } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";

export const AT: Instant = Date.parse("2026-11-22T10:00:00.000Z");
export const MINUTE = 60_000;

/** Opens a storage for the current test, and stores these events in one batch. */
export type Store = (...events: NewEvent[]) => Promise<Storage>;

export const storeBy =
  (open: () => Promise<Storage>): Store =>
  async (...events) => {
    const storage = await open();
    onTestFinished(() => storage.close());
    if (events.length > 0) await storage.appendEvents(events);
    return storage;
  };

/** An event at a number of minutes after the start of every story. */
export const eventAt = (minutes: number, event_type: string, changes: Partial<NewEvent> = {}): NewEvent => ({
  event_type,
  user_id: "ann",
  session_id: null,
  properties: null,
  created_at: AT,
  occurred_at: AT + minutes * MINUTE,
  message_key: null,
  ...changes,
});

export const json = (properties: unknown) => ({ properties: JSON.stringify(properties) });

/** Returns the answer after checking that the rollups and the raw events agree. */
async function checked<T>(ask: (asking?: Asking) => Promise<Answered<T>>): Promise<T> {
  const plain = await ask();
  const verified = await ask({ verify: true });
  expect(verified.value).toEqual(plain.value);
  expect([plain.recomputed, verified.recomputed]).toEqual([undefined, verified.value]);
  return plain.value;
}

export const asked = {
  trend: (storage: Storage, question: TrendQuestion) => checked((how) => storage.trend(question, how)),
  funnel: (storage: Storage, question: FunnelQuestion) => checked((how) => storage.funnel(question, how)),
  retention: (storage: Storage, question: RetentionQuestion) =>
    checked((how) => storage.retention(question, how)),
  types: (storage: Storage) => checked((how) => storage.eventTypes(how)),
  facts: (storage: Storage, question: FactsQuestion) => storage.userFacts(question),
  list: (storage: Storage, question: EventPage) => storage.listEvents(question),
};
