import type { NewEvent } from "../../domain/events/event.ts";
import type { Instant } from "../../domain/time.ts";
import type { Calendar } from "./calendar.ts";
import type { DemoTest } from "./experiments.ts";
import type { Person } from "./people.ts";
import type { Random } from "./random.ts";

interface Setting {
  readonly person: Person;
  readonly random: Random;
  readonly calendar: Calendar;
  readonly button: DemoTest;
}

interface Opening extends Setting {
  readonly session_id: string;
  readonly start: Instant;
  record(event: NewEvent): void;
}

/** One visit of one person. */
export interface Scene extends Setting {
  /** The time of the next event. */
  at(): Instant;
  /** Records an event and moves the time on. */
  does(event_type: string, details?: object): void;
}

export function openScene({ session_id, start, record, ...setting }: Opening): Scene {
  const { person, random } = setting;
  const contextNow = contextOf(setting, start);
  let time = start;
  return {
    ...setting,
    at: () => time,
    does(event_type, details = {}) {
      const own = JSON.stringify(details).slice(1);
      const properties = own === "}" ? `${contextNow()}}` : `${contextNow()},${own}`;
      const message_key = messageKeyOf(time, random);
      record({
        event_type,
        user_id: person.id,
        session_id,
        properties,
        created_at: time,
        occurred_at: time,
        message_key,
      });
      time += pause(random);
    },
  };
}

/**
 * The properties that every event of a visit has, as JSON without its closing brace. Cached until the plan changes:
 * serialised for each event they would take a third of the whole time.
 */
function contextOf({ person, calendar }: Setting, start: Instant): () => string {
  const { country, device, browser } = person;
  const release = start < calendar.release ? "1.8" : "1.9";
  const is_returning = person.visits > 0;
  let { plan } = person;
  const inWords = (): string =>
    JSON.stringify({ country, device, browser, plan, is_returning, release }).slice(0, -1);
  let words = inWords();
  return () => {
    if (plan !== person.plan) {
      plan = person.plan;
      words = inWords();
    }
    return words;
  };
}

const MINUTE = 60_000;

/** The time between two events of a visit, in milliseconds. */
const pause = (random: Random): number =>
  Math.min(15 * MINUTE, 500 + Math.round(random.logNormal(24_000, 0.9)));

const KEY_BYTES = 16;
const TIME_BYTES = 6;
const BYTE = 256;

/** The bytes of a UUIDv7 of this time. The other bits come from the seed, so the same story has the same keys. */
export function messageKeyOf(at: Instant, random: Random): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  let rest = at;
  for (let place = TIME_BYTES - 1; place >= 0; place--) {
    key[place] = rest % BYTE;
    rest = Math.floor(rest / BYTE);
  }
  for (let place = TIME_BYTES; place < KEY_BYTES; place++) {
    if (place === TIME_BYTES || place % 4 === 0) rest = random.bits();
    key[place] = rest;
    rest >>>= 8;
  }
  // Version and variant of the UUID.
  key[6] = 0x70 | ((key[6] ?? 0) & 0x0f);
  key[8] = 0x80 | ((key[8] ?? 0) & 0x3f);
  return key;
}
