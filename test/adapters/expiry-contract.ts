import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Keeping } from "../../domain/events/expiry.ts";
import { messageKey } from "../../domain/events/message-id.ts";
import type { Storage } from "../../domain/storage.ts";
import { DAY, HOUR, type Instant } from "../../domain/time.ts";
import { cases } from "../random.ts";
import { expiryStories, historyOf } from "./event-histories.ts";
import { agreeOn, KINDS } from "./question-contract.ts";
import { AT, eventAt } from "./question-stories/asked.ts";

/** Opens one database again and again, with other settings. */
export type Reopen = (options?: {
  readonly keeping: Keeping;
  readonly now: () => Instant;
}) => Promise<Storage>;

/** Whether an event is kept, stated once more for the comparison: an hour goes as a whole when it is old enough. */
export function isKept({ days, byType }: Keeping, now: Instant, type: string, occurredAt: Instant): boolean {
  const own = new Map(Object.entries(byType)).get(type) ?? days;
  if (own === null) return true;
  return Math.floor(occurredAt / HOUR) >= Math.floor((now - own * DAY) / HOUR);
}

/** Waits until nothing more is due, and compares an answer with the events again and again meanwhile. */
export async function untilExpired(
  storage: Storage,
  meanwhile: () => Promise<void> = async () => {},
): Promise<number> {
  for (;;) {
    const { value, recomputed } = await storage.eventTypes({ verify: true });
    expect(value).toEqual(recomputed);
    await meanwhile();
    const { expiry } = await storage.check();
    if (expiry?.pending === false) return expiry.removed;
    // Answers of an embedded database need no turn of the event loop, and the expiry does.
    await nextTurn();
  }
}

const anyExpiry = (place: () => Promise<Reopen>) =>
  fc.asyncProperty(expiryStories, async ({ events, now, keeping, ...questions }) => {
    fc.pre(keeping.days !== null || Object.keys(keeping.byType).length > 0);
    const open = await place();
    const before = await open();
    const history = historyOf(before);
    await history.append(events);
    await before.eventTypes();
    await before.close();
    const storage = await open({ keeping, now: () => now });
    try {
      const gone = history.keep((event) => isKept(keeping, now, event.event_type, event.occurred_at));
      expect(await untilExpired(storage)).toBe(gone);
      await agreeOn(KINDS.trend, questions.trends, storage, history);
      await agreeOn(KINDS.funnel, questions.funnels, storage, history);
      await agreeOn(KINDS.retention, questions.retentions, storage, history);
      await agreeOn(KINDS.list, questions.lists, storage, history);
      await agreeOn(KINDS.types, [undefined], storage, history);
    } finally {
      await storage.close();
    }
  });

/** The contract of every engine: events are removed when they are older than they are kept. */
export function expiryContract(name: string, place: () => Promise<Reopen>, { runs = 30 } = {}): void {
  describe(`${name}: expiry`, () => {
    test("of any history the events that are kept remain, and every report equals their recomputation", () =>
      fc.assert(anyExpiry(place), { numRuns: cases(runs) }));

    test("thousands of events of many hours go step by step, and every answer meanwhile is exact", async () => {
      const open = await place();
      const before = await open();
      for (let from = 0; from < 4_000; from += 500) {
        const batch = Array.from({ length: 500 }, (_, n) =>
          eventAt((from + n) * 3, n % 3 === 0 ? "buy" : "view", { user_id: `user ${(from + n) % 900}` }),
        );
        await before.appendEvents(batch);
      }
      await before.close();
      const now = AT + 5 * DAY;
      const storage = await open({ keeping: { days: 1, byType: { buy: 2 } }, now: () => now });
      const removed = await untilExpired(storage);
      const { value } = await storage.eventTypes();
      expect(removed).toBeGreaterThan(1_000);
      expect(value.reduce((sum, { count }) => sum + count, removed)).toBe(4_000);
      await storage.close();
    });

    test("a late retry of an expired event stores nothing", async () => {
      const open = await place();
      const before = await open();
      const event = eventAt(0, "view", { message_key: messageKey("old") });
      const [first] = await before.appendEvents([event]);
      await before.close();
      const storage = await open({ keeping: { days: 1, byType: {} }, now: () => AT + 3 * DAY });
      expect(await untilExpired(storage)).toBe(1);
      expect(await storage.appendEvents([event])).toEqual([{ ...first, duplicate: true }]);
      await storage.close();
    });

    test("without a setting nothing is removed, and the health check says nothing of it", async () => {
      const open = await place();
      const storage = await open();
      await storage.appendEvents([eventAt(-60 * 24 * 4_000, "view")]);
      expect((await storage.check()).expiry).toBe(undefined);
      expect((await storage.eventTypes()).value[0]?.count).toBe(1);
      await storage.close();
    });
  });
}
