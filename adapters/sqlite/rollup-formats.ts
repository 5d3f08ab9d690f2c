import { HOUR, type Instant } from "../../domain/time.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

// What the rollups' columns of bytes hold. Days and hours are whole ones since 1970, in UTC.

export const HOURS_A_DAY = 24;

export const hourOf = (instant: Instant): number => Math.floor(instant / HOUR);
export const dayOfHour = (hour: number): number => Math.floor(hour / HOURS_A_DAY);

/** How many events each hour of a day has. */
export function writeHours(counts: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const count of counts) writer.unsigned(count);
  return writer.bytes();
}

export function readHours(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes);
  return Array.from({ length: HOURS_A_DAY }, () => reader.unsigned());
}

/** How many events have each value, by the number of the value. */
export function writeValueCounts(counts: ReadonlyMap<number, number>): Uint8Array {
  const writer = new ByteWriter();
  for (const [value, count] of counts) {
    writer.unsigned(value);
    writer.unsigned(count);
  }
  return writer.bytes();
}

export function readValueCounts(bytes: Uint8Array, visit: (value: number, count: number) => void): void {
  const reader = new ByteReader(bytes);
  while (!reader.done) visit(reader.unsigned(), reader.unsigned());
}

// How far it is from one user to the next stands in two bytes, the lower one first. The largest number that they hold names
// nobody: so much is added to the one after it.
const FAR = 0xffff;

/** Different users by their numbers, rising. */
export function writeUsers(sorted: Iterable<number>): Uint8Array {
  const distances: number[] = [];
  let before = 0;
  for (const user of sorted) {
    for (; user - before >= FAR; before += FAR) distances.push(FAR);
    distances.push(user - before);
    before = user;
  }
  const bytes = new Uint8Array(2 * distances.length);
  for (const [index, distance] of distances.entries()) {
    bytes[2 * index] = distance;
    bytes[2 * index + 1] = distance >> 8;
  }
  return bytes;
}

const distanceAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

export function readUsers(bytes: Uint8Array, visit: (user: number) => void): void {
  let user = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (distance !== FAR) visit(user);
  }
}

/** Whether a user is among them: they rise, so that those after him need not be read. */
export function hasUser(bytes: Uint8Array, wanted: number): boolean {
  let user = 0;
  for (let at = 0; at < bytes.length && user <= wanted; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (user === wanted && distance !== FAR) return true;
  }
  return false;
}

/** Sets a bit of each user's word. */
// Hot: a report over all users reads millions of them.
export function markUsers(bytes: Uint8Array, bit: number, words: Int32Array): void {
  const { length } = bytes;
  const mark = 1 << bit;
  let user = 0;
  for (let at = 0; at < length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (distance !== FAR) words[user] = (words[user] as number) | mark;
  }
}

/**
 * Counts those who have not been seen in this bucket last, and of them those who have not been seen at all (-1), and marks
 * them as seen.
 */
// Hot. Nothing that it does depends on who has been seen: a processor guesses what comes next, and of one user in five it
// would guess wrong, which doubles the time.
export function countNewUsers(
  bytes: Uint8Array,
  bucket: number,
  seenIn: Int32Array,
): { inBucket: number; atAll: number } {
  const { length } = bytes;
  let inBucket = 0;
  let atAll = 0;
  let user = 0;
  for (let at = 0; at < length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (distance === FAR) continue;
    const before = seenIn[user] as number;
    seenIn[user] = bucket;
    inBucket += Number(before !== bucket);
    atAll += Number(before < 0);
  }
  return { inBucket, atAll };
}

/** One event: who, when, which. */
export interface Posting {
  /** 0 where the event has no user. */
  readonly user: number;
  readonly occurred_at: Instant;
  readonly id: number;
}

/** What the next posting of a part is written as the distance from. */
export interface Mark {
  readonly ms: number;
  readonly id: number;
}

export const FIRST: Mark = { ms: 0, id: 0 };

/** The events of an hour in the order of their ids, each by its distances from the one before. */
export function writePostings(postings: readonly Posting[], hour: number, from: Mark): Uint8Array {
  const writer = new ByteWriter();
  let { ms, id } = from;
  for (const posting of postings) {
    const own = posting.occurred_at - hour * HOUR;
    writer.signed(own - ms);
    writer.unsigned(posting.user);
    writer.unsigned(posting.id - id);
    ms = own;
    id = posting.id;
  }
  return writer.bytes();
}

// Hot: a funnel reads millions of them. Reading three numbers in one loop with one place for all spares two thirds of the
// time that a reader's method would take.
export function readPostings(
  bytes: Uint8Array,
  hour: number,
  visit: (user: number, occurredAt: Instant, id: number) => void,
): void {
  const { length } = bytes;
  const fields = [0, 0, 0] as [number, number, number];
  let time = hour * HOUR;
  let id = 0;
  let at = 0;
  while (at < length) {
    for (let field = 0; field < 3; field++) {
      let byte = bytes[at++] as number;
      let number = byte & 0x7f;
      for (let scale = 0x80; byte > 0x7f; scale *= 0x80) {
        byte = bytes[at++] as number;
        number += (byte & 0x7f) * scale;
      }
      fields[field] = number;
    }
    const [step, user, next] = fields;
    time += step % 2 === 1 ? -(step + 1) / 2 : step / 2;
    id += next;
    visit(user, time, id);
  }
}
