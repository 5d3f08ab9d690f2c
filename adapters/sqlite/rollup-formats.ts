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

/** Different users by their numbers, rising: each as what it adds to the one before. */
export function writeUsers(sorted: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  let before = 0;
  for (const user of sorted) {
    writer.unsigned(user - before);
    before = user;
  }
  return writer.bytes();
}

export function readUsers(bytes: Uint8Array, visit: (user: number) => void): void {
  const reader = new ByteReader(bytes);
  let user = 0;
  while (!reader.done) {
    user += reader.unsigned();
    visit(user);
  }
}

/**
 * Visits those who have not been seen in this bucket last, with the bucket in which they were, and marks them as seen.
 */
// Hot: a report over all users reads millions of them, of whom most have been seen. Most distances are a byte or two.
export function readNewUsers(
  bytes: Uint8Array,
  bucket: number,
  seenIn: Int32Array,
  visit: (user: number, bucket: number, before: number) => void,
): void {
  const { length } = bytes;
  let user = 0;
  let at = 0;
  while (at < length) {
    let byte = bytes[at++] as number;
    let distance = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[at++] as number;
      distance |= (byte & 0x7f) << shift;
    }
    user += distance;
    const before = seenIn[user] as number;
    if (before === bucket) continue;
    seenIn[user] = bucket;
    visit(user, bucket, before);
  }
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

/** Whether a user is among them: they rise, so that those after him need not be read. */
export function hasUser(bytes: Uint8Array, wanted: number): boolean {
  const { length } = bytes;
  let user = 0;
  let at = 0;
  while (at < length && user < wanted) {
    let byte = bytes[at++] as number;
    let distance = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[at++] as number;
      distance |= (byte & 0x7f) << shift;
    }
    user += distance;
  }
  return user === wanted;
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
