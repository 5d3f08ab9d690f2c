import { HOUR, type Instant } from "../../domain/time.ts";
import { ByteReader, ByteWriter, joined } from "./bytes.ts";

// The bytes of the rollup columns. A change to them needs a new FORMAT in store.ts.

export const HOURS_A_DAY = 24;

export const hourOf = (instant: Instant): number => Math.floor(instant / HOUR);
export const dayOfHour = (hour: number): number => Math.floor(hour / HOURS_A_DAY);

/** The number of events in each hour of a day. */
export function writeHours(counts: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const count of counts) writer.unsigned(count);
  return writer.bytes();
}

export function readHours(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes);
  return Array.from({ length: HOURS_A_DAY }, () => reader.unsigned());
}

/** The number of events with each value, by the number of the value. */
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

// User numbers are delta-encoded as little-endian uint16; 0xffff is no user and carries into the next delta.
const FAR = 0xffff;

/** Encodes different user numbers in rising order. */
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

/** The set without some users; undefined where it has none of them. */
// Hot: an erasure changes the sets of thousands of hours, and takes one user out of each.
export function withoutUsers(bytes: Uint8Array, gone: ReadonlySet<number>): Uint8Array | undefined {
  // The distance to the user behind takes no more bytes than the two that it replaces.
  const left = new Uint8Array(bytes.length);
  let length = 0;
  let user = 0;
  let before = 0;
  let isChanged = false;
  const put = (distance: number): void => {
    left[length++] = distance;
    left[length++] = distance >> 8;
  };
  for (let at = 0; at < bytes.length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (distance === FAR) continue;
    if (gone.has(user)) {
      isChanged = true;
      continue;
    }
    for (; user - before >= FAR; before += FAR) put(FAR);
    put(user - before);
    before = user;
  }
  return isChanged ? left.slice(0, length) : undefined;
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

/** Whether one of these users, in rising order, is in the set. Both rise, so each is read once. */
// Hot: the list of one user reads the users of thousands of hours.
export function hasUser(bytes: Uint8Array, wanted: readonly number[]): boolean {
  const { length } = bytes;
  let [target, next] = [wanted[0] ?? 0, 1];
  let user = 0;
  for (let at = 0; at < length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    while (target < user) {
      if (next === wanted.length) return false;
      target = wanted[next++] as number;
    }
    if (user === target && distance !== FAR) return true;
  }
  return false;
}

/** Sets a bit in the word of each user. */
// Hot: a report over all users reads millions of numbers.
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
 * Counts the users whose last bucket is another one, and those among them who have no bucket yet (-1), and sets the
 * last bucket of each user. With `persons` it counts the persons that they stand for.
 */
// Hot. It has no branch on the user's last bucket: a mispredicted branch for one user in five doubles the time.
export function countNewUsers(
  bytes: Uint8Array,
  bucket: number,
  seenIn: Int32Array,
  persons: Uint32Array | undefined,
): { inBucket: number; atAll: number } {
  const { length } = bytes;
  let inBucket = 0;
  let atAll = 0;
  let user = 0;
  for (let at = 0; at < length; at += 2) {
    const distance = distanceAt(bytes, at);
    user += distance;
    if (distance === FAR) continue;
    const person = persons === undefined ? user : (persons[user] as number);
    const before = seenIn[person] as number;
    seenIn[person] = bucket;
    inBucket += Number(before !== bucket);
    atAll += Number(before < 0);
  }
  return { inBucket, atAll };
}

/** An event in the rollups. */
export interface Posting {
  /** The number of the user; 0 where the event has none. */
  readonly user: number;
  readonly occurred_at: Instant;
  readonly id: number;
}

/** The time within the hour, and the id, that the next posting of a part is written as a distance from. */
export interface PostingEnd {
  readonly last_ms: number;
  readonly last_id: number;
}

export const NO_POSTINGS: PostingEnd = { last_ms: 0, last_id: 0 };

/**
 * Encodes events of an hour, each as its distance from the one before. Distances of ids have a sign: with several writers
 * the ids of an hour do not rise.
 */
export function writePostings(postings: readonly Posting[], hour: number, from: PostingEnd): Uint8Array {
  const writer = new ByteWriter();
  let { last_ms: ms, last_id: id } = from;
  for (const posting of postings) {
    const own = posting.occurred_at - hour * HOUR;
    writer.signed(own - ms);
    writer.unsigned(posting.user);
    writer.signed(posting.id - id);
    ms = own;
    id = posting.id;
  }
  return writer.bytes();
}

/** Events of an hour without some of them. */
export interface PostingsLeft extends PostingEnd {
  readonly entries: Uint8Array;
}

/**
 * Takes out the events that `isRemoved` picks; undefined where it picks none. The bytes of the others are copied, but for an
 * event behind a removed one, whose distance changes.
 */
export function withoutPostings(
  bytes: Uint8Array,
  hour: number,
  isRemoved: (user: number, occurredAt: Instant, id: number) => boolean,
): PostingsLeft | undefined {
  const pieces: Uint8Array[] = [];
  let last_ms = 0;
  let last_id = 0;
  // Where the bytes begin that are copied next; undefined behind a removed event.
  let from: number | undefined = 0;
  let isChanged = false;
  readPostings(bytes, hour, (user, occurred_at, id, start, next) => {
    if (isRemoved(user, occurred_at, id)) {
      isChanged = true;
      if (from !== undefined && from < start) pieces.push(bytes.subarray(from, start));
      from = undefined;
      return;
    }
    if (from === undefined) {
      pieces.push(writePostings([{ user, occurred_at, id }], hour, { last_ms, last_id }));
      from = next;
    }
    last_ms = occurred_at - hour * HOUR;
    last_id = id;
  });
  if (!isChanged) return undefined;
  if (from !== undefined) pieces.push(bytes.subarray(from));
  return { last_ms, last_id, entries: joined(...pieces) };
}

/** Bytes that every part of postings has in which there is an event of the user; another part may have them by chance. */
export function bytesOfUser(user: number): Uint8Array {
  const writer = new ByteWriter();
  writer.unsigned(user);
  return writer.bytes();
}

/** Decodes zigzag. Bit operations are the fastest, and right up to 2³¹. */
const signed = (number: number): number =>
  number <= 0x7fffffff ? (number >>> 1) ^ -(number & 1) : number % 2 === 1 ? -(number + 1) / 2 : number / 2;

/** Visits the events with the place of their bytes. */
// Hot: a funnel reads millions of postings. Integers for time and user take half the time of one loop for all three numbers.
export function readPostings(
  bytes: Uint8Array,
  hour: number,
  visit: (user: number, occurredAt: Instant, id: number, start: number, end: number) => void,
): void {
  const { length } = bytes;
  let time = hour * HOUR;
  let id = 0;
  let at = 0;
  while (at < length) {
    const start = at;
    let byte = bytes[at++] as number;
    // A step within an hour is below 2²³, and there are fewer than 2³¹ users.
    let step = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[at++] as number;
      step |= (byte & 0x7f) << shift;
    }
    byte = bytes[at++] as number;
    let user = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[at++] as number;
      user |= (byte & 0x7f) << shift;
    }
    byte = bytes[at++] as number;
    let next = byte & 0x7f;
    for (let scale = 0x80; byte > 0x7f; scale *= 0x80) {
      byte = bytes[at++] as number;
      next += (byte & 0x7f) * scale;
    }
    time += (step >>> 1) ^ -(step & 1);
    id += signed(next);
    visit(user, time, id, start, at);
  }
}
