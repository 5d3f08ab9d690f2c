import fc from "fast-check";
import { expect, test } from "vitest";
import {
  countNewUsers,
  hasUser,
  markUsers,
  readUsers,
  writeUsers,
} from "../../../adapters/sqlite/rollup-formats.ts";

const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  // Some as far apart as two bytes say, a little less and a little more, and several times as far.
  fc.constantFrom(65_534, 65_535, 65_536, 131_069, 131_070, 131_071, 400_000, 20_000_000),
);
const users = fc.uniqueArray(number).map((some) => some.sort((a, b) => a - b));

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

test("a user is among them who was written, and nobody else is", () => {
  fc.assert(
    fc.property(users, number, (some, wanted) => {
      expect(hasUser(writeUsers(some), wanted)).toBe(some.includes(wanted));
    }),
  );
});

test("two bytes for each, and two more for every 65,535 between two", () => {
  expect(writeUsers([1, 258, 258 + 65_535]).length).toBe(8);
});

const LAST = 20_000_000;

test("a user is new to a bucket who was seen in another one last, and new at all who was never seen", () => {
  const seenIn = new Int32Array(LAST + 1).fill(-1);
  fc.assert(
    fc.property(fc.array(fc.tuple(users, fc.nat(3))), (hours) => {
      const last = new Map<number, number>();
      for (const [some, bucket] of hours) {
        const inBucket = some.filter((user) => last.get(user) !== bucket).length;
        const atAll = some.filter((user) => !last.has(user)).length;
        for (const user of some) last.set(user, bucket);
        expect(countNewUsers(writeUsers(some), bucket, seenIn)).toEqual({ inBucket, atAll });
      }
      for (const user of last.keys()) seenIn[user] = -1;
    }),
  );
});

test("each user's word gets a bit, and nobody else's", () => {
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
