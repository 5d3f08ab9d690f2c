import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { eventLine, firstLinesOf, valueLine } from "../../domain/people/personal-data.ts";
import type { StoredPerson } from "../../domain/people/profile.ts";
import type { EventPlace } from "../../domain/reports/event-list.ts";
import type { Storage } from "../../domain/storage.ts";
import { Name } from "../../domain/text.ts";
import { EARLIEST, LATEST } from "../../domain/time.ts";
import { cursorOf } from "../contract/cursor.ts";
import { endpoint } from "../contract/endpoint.ts";
import { type Line, Listing, listingOf } from "../contract/listing.ts";
import { eventPortions, FIRST_PORTION } from "../reports/event-portions.ts";

const { Cursor, next } = cursorOf(
  z.discriminatedUnion("part", [
    z.strictObject({ part: z.literal("first"), lines: z.int() }),
    z.strictObject({ part: z.literal("values"), after: z.int() }),
    z.strictObject({ part: z.literal("events"), occurred_at: z.int(), id: z.int() }),
  ]),
);
type Place = z.infer<typeof Cursor>;

interface Export {
  readonly person: StoredPerson;
  readonly storage: Storage;
  readonly gone: AbortSignal;
}

const firstLines = ({ person }: Export): Line[] =>
  firstLinesOf(person).map((text, index) => ({
    text: () => text,
    cursor: () => next({ part: "first", lines: index + 1 }),
  }));

async function* values({ person, storage, gone }: Export, after: number | undefined) {
  const user_ids = [person.person_id, ...person.links.map(({ anonymous_id }) => anonymous_id)];
  let through = after;
  do {
    gone.throwIfAborted();
    const slice = await storage.listValues({ user_ids, after: through });
    const lines = slice.values.map((value) => ({
      text: () => valueLine(value),
      cursor: () => next({ part: "values", after: value.id }),
    }));
    if (lines.length > 0) yield lines;
    through = slice.through;
  } while (through !== undefined);
}

function eventsOf({ person, storage, gone }: Export) {
  const filter = { event_types: [], user_id: person.person_id, from: EARLIEST, to: LATEST + 1, where: [] };
  return (limit: number, after: EventPlace | undefined) =>
    storage.listEvents({ ...filter, limit, after }, { gone });
}

async function* events(from: Export, after: EventPlace | undefined) {
  const list = eventsOf(from);
  yield* eventPortions(await list(FIRST_PORTION, after), FIRST_PORTION, Number.POSITIVE_INFINITY, {
    list,
    line: eventLine,
    cursor: ({ occurred_at, id }) => next({ part: "events", occurred_at, id }),
  });
}

/** Everything after a place: links and assignments, then values, then events. */
async function* portions(from: Export, place: Place): AsyncGenerator<readonly Line[]> {
  if (place.part === "first") yield firstLines(from).slice(place.lines);
  if (place.part !== "events") yield* values(from, place.part === "values" ? place.after : undefined);
  yield* events(from, place.part === "events" ? place : undefined);
}

/** Values belong to assignments, so that a person without any and without events has nothing. */
async function isStored(from: Export): Promise<boolean> {
  if (firstLinesOf(from.person).length > 0) return true;
  return (await eventsOf(from)(1, undefined)).length > 0;
}

export const exportUser = endpoint({
  name: "exportUser",
  method: "GET",
  path: "/apiv1/users/{user_id}/export",
  access: "read",
  summary: "Everything stored about a user, under all their ids, as lines of JSON",
  params: z.strictObject({ user_id: Name }),
  query: z.strictObject({ cursor: Cursor.optional() }),
  replies: { ok: listingOf("ndjson") },
  failures: ["not_found"],

  async handle({ params: { user_id }, query: { cursor }, gone }, { storage }) {
    const from: Export = { person: await storage.findPerson(user_id), storage, gone: gone() };
    if (!(await isStored(from))) throw new Failure("not_found", "Nothing is stored about this user.");
    const lines = portions(from, cursor ?? { part: "first", lines: 0 });
    const head = { head: "", limit: undefined };
    return { outcome: "ok", body: new Listing({ name: "user", format: "ndjson", ...head, portions: lines }) };
  },
});
