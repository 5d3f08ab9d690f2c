import { z } from "zod";
import { describeEvent, EventReply, type StoredEvent } from "../reports/event-list.ts";
import { byText } from "../text.ts";
import { type Instant, IsoTime, isoTime } from "../time.ts";

/** The variant of one of a person's ids in an experiment. */
export interface PersonVariant {
  readonly test_id: number;
  readonly test_name: string;
  /** The id that was assigned. */
  readonly user_id: string;
  readonly variant: string;
  readonly assigned_at: Instant;
  /** What was sent with the assignment: a JSON object. */
  readonly attributes: string | null;
}

/** What is stored about a person besides events and values. */
export interface StoredPerson {
  /** The user id that anonymous ids are linked to; the id itself where none are. */
  readonly person_id: string;
  readonly links: readonly { readonly anonymous_id: string; readonly linked_at: Instant }[];
  /** Newest first, at most MAX_VARIANTS. */
  readonly variants: readonly PersonVariant[];
}

export const MAX_VARIANTS = 1_000;

/** Of a person with more events than this, the newest ones are counted. */
export const MAX_COUNTED_EVENTS = 100_000;

const RECENT_EVENTS = 20;

export const ProfileReply = z
  .strictObject({
    user_id: z.string(),
    links: z.array(z.strictObject({ anonymous_id: z.string(), linked_at: IsoTime })),
    first_seen: IsoTime.nullable().meta({
      description: "Null without events, and where not all are counted.",
    }),
    last_seen: IsoTime.nullable(),
    event_count: z.int(),
    /** False where the person has more events than are counted: then the figures are those of the newest ones. */
    all_counted: z.boolean(),
    event_types: z.array(z.strictObject({ event_type: z.string(), count: z.int() })),
    variants: z.array(
      z.strictObject({
        test_id: z.int(),
        test_name: z.string(),
        user_id: z.string(),
        variant: z.string(),
        assigned_at: IsoTime,
      }),
    ),
    recent_events: z.array(EventReply),
  })
  .meta({ id: "Profile" });
export type ProfileReply = z.infer<typeof ProfileReply>;

/** Adds up a person's events, which come newest first. */
export class ProfileTally {
  readonly #recent: StoredEvent[] = [];
  readonly #types = new Map<string, number>();
  #first: Instant | undefined;
  count = 0;

  add(event: StoredEvent): void {
    this.count += 1;
    if (this.#recent.length < RECENT_EVENTS) this.#recent.push(event);
    this.#types.set(event.event_type, (this.#types.get(event.event_type) ?? 0) + 1);
    this.#first = event.occurred_at;
  }

  /** `isWhole`: all events of the person were added. */
  describe({ person_id, links, variants }: StoredPerson, isWhole: boolean): ProfileReply {
    const types = [...this.#types].sort(([a, one], [b, other]) => other - one || byText(a, b));
    const [latest] = this.#recent;
    return {
      user_id: person_id,
      links: links.map(({ anonymous_id, linked_at }) => ({ anonymous_id, linked_at: isoTime(linked_at) })),
      first_seen: isWhole && this.#first !== undefined ? isoTime(this.#first) : null,
      last_seen: latest === undefined ? null : isoTime(latest.occurred_at),
      event_count: this.count,
      all_counted: isWhole,
      event_types: types.map(([event_type, count]) => ({ event_type, count })),
      variants: variants.map(({ attributes: _, ...one }) => ({
        ...one,
        assigned_at: isoTime(one.assigned_at),
      })),
      recent_events: this.#recent.map(describeEvent),
    };
  }
}
