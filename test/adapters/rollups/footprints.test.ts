import fc from "fast-check";
import { expect, test } from "vitest";
import { FootprintColumns, LastBefore } from "../../../adapters/rollups/questions/footprints.ts";

interface Event {
  readonly user: number;
  readonly time: number;
  readonly id: number;
}

const USERS = 3;
// Few instants, so that many events are of the same one.
const place = fc.record({ user: fc.integer({ min: 1, max: USERS }), time: fc.nat(12) });
const comesBefore = (a: Event, b: Event): boolean => a.time < b.time || (a.time === b.time && a.id < b.id);
const inOrder = (a: Event, b: Event): number => a.time - b.time || a.id - b.id;

test("each footprint knows the user's last addition between it and the footprint before, for any order of additions", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(place, fc.boolean()), { maxLength: 40 }),
      fc.infiniteStream(fc.nat()),
      (all, keys) => {
        const events = all.map(([own, isFootprint], index) => ({ ...own, id: index + 1, isFootprint }));
        const columns = new FootprintColumns();
        for (const { user, time, id, isFootprint } of events) if (isFootprint) columns.add(user, time, id, 2);
        const footprints = columns.byUser(USERS);
        const walked = new Set(events.filter(({ isFootprint }) => isFootprint).map(({ user }) => user));
        const additions = events.filter(({ user, isFootprint }) => !isFootprint && walked.has(user));

        const lastBefore = new LastBefore(footprints, USERS);
        const shuffled = additions.map((event) => ({ event, key: keys.next().value as number }));
        for (const { event } of shuffled.sort((a, b) => a.key - b.key))
          lastBefore.add(event.user, event.time, event.id);
        lastBefore.finish(USERS);

        for (const user of walked) {
          const own = events.filter((event) => event.user === user && event.isFootprint).sort(inOrder);
          const found = own.map((_, at) => lastBefore.before(footprints.start(user) + at, 1));
          const expected = own.map((footprint, at) => {
            const before = own[at - 1];
            const between = additions.filter(
              (event) =>
                event.user === user &&
                comesBefore(event, footprint) &&
                (before === undefined || comesBefore(before, event)),
            );
            const last = between.sort(inOrder).at(-1);
            return last && { id: last.id, occurred_at: last.time, steps: 1 };
          });
          expect(found).toEqual(expected);
        }
      },
    ),
  );
});
