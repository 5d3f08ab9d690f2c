import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytesOfUser,
  countNewUsers,
  hasUser,
  markUsers,
  NO_POSTINGS,
  type Posting,
  readPostings,
  readUsers,
  withoutPostings,
  withoutUsers,
  writePostings,
  writeUsers,
} from "../../../adapters/rollups/formats.ts";
import { HOUR } from "../../../domain/time.ts";

const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  // At, around and beyond the largest distance that two bytes hold.
  fc.constantFrom(65_534, 65_535, 65_536, 131_069, 131_070, 131_071, 400_000, 20_000_000),
);
const rising = (some: number[]): number[] => some.sort((a, b) => a - b);
const users = fc.uniqueArray(number).map(rising);

function read(bytes: Uint8Array): number[] {
  const all: number[] = [];
  readUsers(bytes, (user) => all.push(user));
  return all;
}

test("users are read as they were written, however far apart their numbers are", () => {
  fc.assert(
    fc.property(users, (some) => {
      expect(read(writeUsers(some))).toEqual(some);
    }),
  );
});

test("a set has the users that were written, and no others", () => {
  const wantedUsers = fc.uniqueArray(number, { minLength: 1, maxLength: 3 }).map(rising);
  fc.assert(
    fc.property(users, wantedUsers, (some, wanted) => {
      expect(hasUser(writeUsers(some), wanted)).toBe(wanted.some((user) => some.includes(user)));
    }),
  );
});

test("a set without some users is the set that was never given them", () => {
  fc.assert(
    fc.property(users, users, (some, gone) => {
      const left = some.filter((user) => !gone.includes(user));
      const expected = left.length === some.length ? undefined : writeUsers(left);
      expect(withoutUsers(writeUsers(some), new Set(gone))).toEqual(expected);
    }),
  );
});

test("a user takes two bytes, and two more for every 65,535 numbers that are skipped", () => {
  expect(writeUsers([1, 258, 258 + 65_535]).length).toBe(8);
});

const LAST = 20_000_000;

test("a user is new to a bucket when their last bucket is another one, and new at all when they have none", () => {
  const seenIn = new Int32Array(LAST + 1).fill(-1);
  fc.assert(
    fc.property(fc.array(fc.tuple(users, fc.nat(3))), (hours) => {
      const last = new Map<number, number>();
      for (const [some, bucket] of hours) {
        const inBucket = some.filter((user) => last.get(user) !== bucket).length;
        const atAll = some.filter((user) => !last.has(user)).length;
        for (const user of some) last.set(user, bucket);
        expect(countNewUsers(writeUsers(some), bucket, seenIn, undefined)).toEqual({ inBucket, atAll });
      }
      for (const user of last.keys()) seenIn[user] = -1;
    }),
  );
});

test("users who are one person count once in a bucket", () => {
  const persons = Uint32Array.from([0, 1, 1, 3, 1]);
  const seenIn = new Int32Array(5).fill(-1);
  const count = (some: readonly number[], bucket: number) =>
    countNewUsers(writeUsers(some), bucket, seenIn, persons);
  expect(count([1, 2, 3], 0)).toEqual({ inBucket: 2, atAll: 2 });
  expect(count([4], 0)).toEqual({ inBucket: 0, atAll: 0 });
  expect(count([4], 1)).toEqual({ inBucket: 1, atAll: 0 });
});

test("marking sets a bit in the word of each user, and in no other word", () => {
  const words = new Int32Array(LAST + 1);
  fc.assert(
    fc.property(users, fc.nat(31), (some, bit) => {
      markUsers(writeUsers(some), bit, words);
      markUsers(writeUsers(some), 0, words);
      expect(some.map((user) => words[user])).toEqual(some.map(() => (1 << bit) | 1));
      for (const user of some) words[user] = 0;
    }),
  );
  expect(words.every((word) => word === 0)).toBe(true);
});

const posting: fc.Arbitrary<Posting> = fc.record({
  user: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300_000 })),
  occurred_at: fc.integer({ min: 0, max: 3_599_999 }).map((ms) => HOUR * 490_000 + ms),
  id: fc.integer({ min: 1, max: 2 ** 40 }),
});

test("postings are read as they were written in several pieces, in whatever order their ids are", () => {
  fc.assert(
    fc.property(fc.array(fc.array(posting, { minLength: 1 })), (pieces) => {
      let end = NO_POSTINGS;
      const bytes = pieces.flatMap((piece) => {
        const written = writePostings(piece, 490_000, end);
        const last = piece.at(-1) as Posting;
        end = { last_ms: last.occurred_at - HOUR * 490_000, last_id: last.id };
        return [...written];
      });
      const found: Posting[] = [];
      readPostings(Uint8Array.from(bytes), 490_000, (user, occurred_at, id) => {
        found.push({ user, occurred_at, id });
      });
      expect(found).toEqual(pieces.flat());
    }),
  );
});

test("postings without some events are those that were never given them, and go on from their end", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(posting, fc.boolean())), posting, (all, next) => {
      const some = all.map(([one]) => one);
      const left = all.flatMap(([one, isKept]) => (isKept ? [one] : []));
      const asked: number[] = [];
      const places = all.map(([, isKept]) => isKept).values();
      const found = withoutPostings(writePostings(some, 490_000, NO_POSTINGS), 490_000, (user, time, id) => {
        asked.push(user, time, id);
        return places.next().value === false;
      });
      expect(asked).toEqual(some.flatMap(({ user, occurred_at, id }) => [user, occurred_at, id]));
      if (left.length === some.length) expect(found).toBeUndefined();
      else {
        expect(found?.entries).toEqual(writePostings(left, 490_000, NO_POSTINGS));
        const { last_ms = 0, last_id = 0 } = found ?? {};
        const end = left.at(-1);
        expect([last_ms, last_id]).toEqual([
          (end?.occurred_at ?? HOUR * 490_000) - HOUR * 490_000,
          end?.id ?? 0,
        ]);
        expect(writePostings([next], 490_000, { last_ms, last_id })).toEqual(
          writePostings([...left, next], 490_000, NO_POSTINGS).slice(found?.entries.length),
        );
      }
    }),
  );
});

test("the postings of a user have the bytes of their number, and those of others rarely do", () => {
  const isIn = (bytes: Uint8Array, user: number) =>
    Buffer.from(bytes).includes(Buffer.from(bytesOfUser(user)));
  fc.assert(
    fc.property(fc.array(posting), (all) => {
      const bytes = writePostings(all, 490_000, NO_POSTINGS);
      for (const { user } of all) expect(isIn(bytes, user)).toBe(true);
    }),
  );
  const others = Array.from({ length: 600 }, (_, n) => ({
    user: 10_000 + n,
    occurred_at: HOUR * 490_000 + n,
    id: n,
  }));
  expect(isIn(writePostings(others, 490_000, NO_POSTINGS), 20_000)).toBe(false);
});
