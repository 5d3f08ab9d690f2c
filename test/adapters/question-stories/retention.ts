import { describe, expect, test } from "vitest";
import type { RetentionQuestion } from "../../../domain/reports/retention.ts";
import { HOUR } from "../../../domain/time.ts";
import { AT, asked, eventAt, MINUTE, type Store } from "./asked.ts";

export function retentionStories(store: Store): void {
  describe("retention", () => {
    const weekly = (changes: Partial<RetentionQuestion> = {}): RetentionQuestion => ({
      event_type: "signup",
      return_event_type: "visit",
      cohort: "first",
      edges: [AT, AT + HOUR, AT + 2 * HOUR, AT + 3 * HOUR],
      cohorts: 2,
      periods: 3,
      ...changes,
    });

    const life = [
      eventAt(0, "signup"),
      eventAt(1, "visit"),
      eventAt(61, "signup"),
      eventAt(121, "visit"),
      eventAt(-1, "signup", { user_id: "bob" }),
      eventAt(5, "signup", { user_id: "bob" }),
      eventAt(61, "signup", { user_id: "cem" }),
      eventAt(180, "visit", { user_id: "cem" }),
      eventAt(1, "signup", { user_id: null }),
    ];

    test("with first-time cohorts counts each new user once, and follows later cohorts for fewer periods", async () => {
      const storage = await store(...life);
      expect(await asked.retention(storage, weekly())).toEqual([
        { users: 1, returned: [1, 0, 1] },
        { users: 1, returned: [0, 0] },
      ]);
    });

    test("with recurring cohorts counts a user in each period with an event", async () => {
      const storage = await store(...life);
      expect(await asked.retention(storage, weekly({ cohort: "recurring" }))).toEqual([
        { users: 2, returned: [1, 0, 1] },
        { users: 2, returned: [0, 1] },
      ]);
    });

    test("from any event to any event counts all events of a user", async () => {
      const storage = await store(...life);
      const question = weekly({ event_type: null, return_event_type: null, periods: 2 });
      expect(await asked.retention(storage, question)).toEqual([
        { users: 1, returned: [1, 1] },
        { users: 1, returned: [1, 0] },
      ]);
    });

    test("is exact to the minute for periods that begin within an hour", async () => {
      const cut = weekly({ event_type: null, edges: [30, 90, 150].map((minute) => AT + minute * MINUTE) });
      const storage = await store(
        eventAt(29, "visit"),
        eventAt(31, "visit"),
        eventAt(30, "visit", { user_id: "bob" }),
        eventAt(89, "visit", { user_id: "bob" }),
        eventAt(90, "visit", { user_id: "bob" }),
        eventAt(90, "visit", { user_id: "cem" }),
        eventAt(150, "visit", { user_id: "cem" }),
      );
      expect(await asked.retention(storage, cut)).toEqual([
        { users: 1, returned: [1, 1] },
        { users: 1, returned: [1] },
      ]);
    });

    test("follows a user through the maximum number of periods and many cohorts", async () => {
      const hours = Array.from({ length: 71 }, (_, hour) => hour);
      const isBobs = (hour: number): boolean => hour % 7 === 3;
      const storage = await store(
        ...hours.map((hour) => eventAt(60 * hour, "visit")),
        ...hours.filter(isBobs).map((hour) => eventAt(60 * hour + 59, "visit", { user_id: "bob" })),
      );
      const long = weekly({
        event_type: "visit",
        cohort: "recurring",
        edges: hours.map((hour) => AT + hour * HOUR),
        cohorts: 70,
        periods: 26,
      });
      const following = (cohort: number) => hours.slice(cohort, Math.min(cohort + 26, 70));
      expect(await asked.retention(storage, long)).toEqual(
        hours.slice(0, 70).map((cohort) => ({
          users: isBobs(cohort) ? 2 : 1,
          returned: following(cohort).map((hour) => (isBobs(cohort) && isBobs(hour) ? 2 : 1)),
        })),
      );
      const first = await asked.retention(storage, { ...long, cohort: "first" });
      expect(first.filter(({ users }) => users > 0)).toEqual([
        { users: 1, returned: new Array(26).fill(1) },
        { users: 1, returned: following(3).map((hour) => (isBobs(hour) ? 1 : 0)) },
      ]);
    });

    test("moves a user to an earlier cohort when an earlier event arrives late", async () => {
      const storage = await store(eventAt(61, "signup"));
      expect((await asked.retention(storage, weekly())).map(({ users }) => users)).toEqual([0, 1]);
      await storage.appendEvents([eventAt(1, "signup")]);
      expect((await asked.retention(storage, weekly())).map(({ users }) => users)).toEqual([1, 0]);
      await storage.appendEvents([eventAt(-100_000, "signup")]);
      expect((await asked.retention(storage, weekly())).map(({ users }) => users)).toEqual([0, 0]);
    });
  });
}
