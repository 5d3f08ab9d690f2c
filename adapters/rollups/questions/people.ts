import type { Link } from "../../../domain/people/links.ts";
import type { EventPage } from "../../../domain/reports/event-list.ts";
import { entry } from "../build/growth.ts";
import { type LinkSource, type PersonPage, userKey } from "../store.ts";
import type { Work } from "../work.ts";
import type { Snapshot } from "./snapshot.ts";

// Rollups number ids, and a person may have several. The rows stay as they are when ids are linked: an answer maps the
// numbers of linked ids to one of them, so it is exact from the moment of the link on.

/** By the number of each user: the number that stands for their person. */
export type PersonNumbers = Uint32Array;

/** The mapping of all users; undefined where no ids are linked, so that reports can spare the look-up. */
export function* personNumbersOf({ store, links, users }: Snapshot): Work<PersonNumbers | undefined> {
  const linked = yield* links.all();
  if (linked.length === 0) return undefined;
  const persons = new Map<string, string>();
  for (const { user_id, person_id } of linked) {
    persons.set(userKey(user_id), person_id);
    persons.set(userKey(person_id), person_id);
  }
  const numbers = new Map<string, number[]>();
  for (const { user_id, number } of yield* store.users([...persons.keys()])) {
    entry(numbers, persons.get(user_id) ?? user_id, () => []).push(number);
  }
  const personOf = Uint32Array.from({ length: users + 1 }, (_, user) => user);
  for (const own of numbers.values()) for (const number of own) personOf[number] = own[0] ?? number;
  return personOf;
}

/** Whom a number stands for. */
export const personOf = (persons: PersonNumbers | undefined, user: number): number =>
  persons === undefined ? user : (persons[user] ?? user);

export function* personPageOf({ links }: Pick<Snapshot, "links">, page: EventPage): Work<PersonPage> {
  const { user_id } = page;
  return { ...page, user_ids: user_id === undefined ? undefined : yield* links.idsOf(user_id) };
}

// Of more users than this, reading all links at once is faster.
const FEW_USERS = 32;

/** The places in a list of users, by each id of those users' persons. */
export function* placesByUser(
  links: LinkSource,
  users: readonly { readonly user_id: string }[],
): Work<ReadonlyMap<string, readonly number[]>> {
  const idsOf = users.length > FEW_USERS ? idsBy(yield* links.all()) : undefined;
  const places = new Map<string, number[]>();
  for (const [place, { user_id }] of users.entries()) {
    const ids = idsOf === undefined ? yield* links.idsOf(user_id) : idsOf(user_id);
    for (const id of ids) entry(places, id, () => []).push(place);
  }
  return places;
}

/** All ids of the person that an id belongs to, by a list of all links. */
function idsBy(links: readonly Link[]): (userId: string) => readonly string[] {
  const persons = new Map(links.map(({ user_id, person_id }) => [user_id, person_id]));
  const ids = new Map<string, string[]>();
  for (const { user_id, person_id } of links) entry(ids, person_id, () => [person_id]).push(user_id);
  return (userId) => {
    const person = persons.get(userId) ?? userId;
    return ids.get(person) ?? [person];
  };
}
