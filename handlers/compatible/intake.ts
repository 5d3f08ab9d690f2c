import { z } from "zod";
import { occurrenceOf, senderClock } from "../../domain/clock.ts";
import { EventInput, type NewEvent } from "../../domain/events/event.ts";
import { PAGE_VIEW } from "../../domain/events/page.ts";
import { stampSeen } from "../../domain/events/page-view.ts";
import type { Checked, Fault } from "../../domain/failure.ts";
import { type Instant, Timestamp } from "../../domain/time.ts";
import { MAX_BATCH } from "../contract/batch.ts";
import type { Request, World } from "../contract/endpoint.ts";
import { faultsOf } from "../contract/faults.ts";
import { wording } from "../contract/wording.ts";
import { LinkInput, linkFaultOf } from "../people/link-users.ts";
import { type Exposure, expose } from "./exposure.ts";

/** The largest body that is taken in another product's format, in bytes. */
export const MAX_FOREIGN_BYTES = 5 * 1024 * 1024;

/** Any JSON: what is in it is checked item by item, because a refused body would lose its good items with the bad ones. */
export const ForeignBody = z.unknown().meta({ type: "object", description: "In the format of its product." });

export type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of an object; none where the value is anything else. */
export const fieldsOf = (value: unknown): Fields => (isObject(value) ? { ...value } : {});

/** An object or nothing with its fields changed. Any other value stays as it is, so that it is refused by its name. */
export const changedFields = (value: unknown, change: (fields: Fields) => Fields): unknown =>
  value === undefined || value === null || isObject(value) ? change(fieldsOf(value)) : value;

/** An id as text: other products take numbers too. */
export const idOf = (value: unknown): unknown => (typeof value === "number" ? String(value) : value);

/** The fields that have a value. */
export const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

/** One item of another format, as acts of this product. None of it is checked yet. */
export interface Act {
  readonly event?: Fields;
  /** Ids that are one person. */
  readonly link?: Fields | undefined;
  /** A variant that a user has seen. */
  readonly exposure?: Exposure;
}

/** The acts of some items, and when their sender sent them by its own clock. */
export interface Intake {
  /** The endpoint that the items came to, for the list of refusals. */
  readonly endpoint: string;
  readonly acts: readonly Act[];
  readonly sentAt?: unknown;
}

const instantOf = (value: unknown): Instant | undefined => Timestamp.safeParse(value).data;

/**
 * Carries out what can be carried out. Items with faults are counted and listed as refusals, and are not answered with an
 * error: clients of other products would drop the good ones too, and look at no list of errors.
 */
export async function takeActs(
  { endpoint, acts, sentAt }: Intake,
  { browser }: Pick<Request<unknown, unknown, unknown>, "browser">,
  world: World,
): Promise<void> {
  const seen = acts.some(({ event }) => event?.event_type === PAGE_VIEW) ? await browser() : undefined;
  const time = world.now();
  const clock = senderClock(instantOf(sentAt), time);
  const refuse = (faults: readonly Fault[]): void => world.activity.noteRefusedItem(endpoint, faults, time);
  const events = acts
    .flatMap(({ event }) => (event === undefined ? [] : [event]))
    .flatMap((fields) => {
      const checked = checkedEvent(fields, (input) => stampSeen(input, seen, time, clock));
      if ("value" in checked) return [checked.value];
      refuse(checked.faults);
      return [];
    });
  // First, so that what the user did next counts.
  await Promise.all(
    firstExposures(acts).map(async (exposure) => {
      const { occurred_at } = occurrenceOf(instantOf(exposure.timestamp), time, clock);
      const faults = await expose(exposure, occurred_at, world);
      if (faults.length > 0) refuse(faults);
    }),
  );
  await storeAll(events, world);
  for (const { link } of acts) {
    const faults = link === undefined ? [] : await linked(link, world);
    if (faults.length > 0) refuse(faults);
  }
}

/** Of several exposures of one user to one flag the first, whatever the order in which they are stored. */
function firstExposures(acts: readonly Act[]): Exposure[] {
  const first = new Map<string, Exposure>();
  for (const { exposure } of acts) {
    if (exposure === undefined) continue;
    const key = JSON.stringify([exposure.flag, exposure.user_id]);
    if (!first.has(key)) first.set(key, exposure);
  }
  return [...first.values()];
}

/** Checks an event as the endpoint for events does, and makes it one to store. */
export function checkedEvent(
  fields: Fields,
  stamped: (input: EventInput) => Checked<NewEvent>,
): Checked<NewEvent> {
  const parsed = EventInput.safeParse(fields, { error: wording });
  return parsed.success ? stamped(parsed.data) : { faults: faultsOf(parsed.error) };
}

async function storeAll(events: readonly NewEvent[], { storage, activity }: World): Promise<void> {
  for (let from = 0; from < events.length; from += MAX_BATCH) {
    activity.noteEvents(await storage.appendEvents(events.slice(from, from + MAX_BATCH)));
  }
}

/** Links two ids; the faults for which they were not linked. A link of an id to itself says nothing, and is no fault. */
export async function linked(
  fields: Fields,
  { storage, now }: Pick<World, "storage" | "now">,
): Promise<readonly Fault[]> {
  if (fields.anonymous_id === fields.user_id) return [];
  const parsed = LinkInput.safeParse(fields, { error: wording });
  if (!parsed.success) return faultsOf(parsed.error);
  const { kind } = await storage.linkUsers({ ...parsed.data, linked_at: now() });
  const fault = linkFaultOf(kind);
  return fault === undefined ? [] : [fault];
}
