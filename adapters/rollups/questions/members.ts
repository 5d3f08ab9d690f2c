import type { MembersQuestion } from "../../../domain/reports/members.ts";
import { Members, type PersonKey } from "../../../domain/reports/members-tally.ts";
import type { Instant } from "../../../domain/time.ts";
import { type AssignedUser, type AssignmentSource, userKey } from "../store.ts";
import type { Work } from "../work.ts";
import { type PersonNumbers, personOf } from "./people.ts";
import type { Snapshot } from "./snapshot.ts";

const personIdOf = ({ person_id, user_id }: AssignedUser): PersonKey => person_id ?? user_id;

/** The people that a question is about; undefined where it is about everybody. */
export function* membersOf(
  assignments: AssignmentSource,
  question: MembersQuestion | undefined,
  keyOf: (assignment: AssignedUser) => PersonKey = personIdOf,
): Work<Members | undefined> {
  if (question === undefined) return undefined;
  const members = new Members(question);
  for (const test of members.tests) {
    yield* assignments.visit(test, (assignment) => {
      const { variant_id, assigned_at } = assignment;
      members.add(test, { person: keyOf(assignment), variant_id, assigned_at });
    });
  }
  return members;
}

/** The same people by the numbers that rollups have for them. */
export class MemberNumbers {
  /** The names of the variants of a breakdown. */
  readonly variants: readonly string[];
  readonly #from: Float64Array;
  readonly #until: Instant;
  /** The place of each user's variant among the names. */
  readonly #variant: Uint16Array;

  constructor(users: number, until: Instant, variants: readonly string[]) {
    this.#from = new Float64Array(users + 1).fill(Number.POSITIVE_INFINITY);
    this.#until = until;
    this.#variant = new Uint16Array(users + 1);
    this.variants = variants;
  }

  set(user: number, from: Instant, variant: string | null): void {
    this.#from[user] = from;
    this.#variant[user] = Math.max(0, this.variants.indexOf(variant ?? ""));
  }

  /** Whether what the user did at this time counts. */
  has(user: number, at: Instant): boolean {
    return at >= (this.#from[user] as number) && at <= this.#until;
  }

  /** The name of the user's variant; null without a breakdown. */
  nameOf(user: number): string | null {
    return this.variants[this.variantOf(user)] ?? null;
  }

  /** The place of the user's variant among the names. */
  variantOf(user: number): number {
    return this.#variant[user] as number;
  }
}

// Most people have no linked ids. Their numbers as keys spare the look-up of a number by each text.
const numberOrId = ({ person_id, number, user_id }: AssignedUser): PersonKey =>
  person_id ?? number ?? user_id;

// Where at least this share of users is looked up, reading all users is faster.
const SHARE_OF_USERS = 8;

/** The people that a question is about, each at the number that stands for all ids of the person. */
export function* memberNumbersOf(
  { store, links, assignments, users }: Snapshot,
  question: MembersQuestion | undefined,
  persons: PersonNumbers | undefined,
): Work<MemberNumbers | undefined> {
  const members = yield* membersOf(assignments, question, numberOrId);
  if (members === undefined) return undefined;
  const { stays, until } = members;
  const names = question?.breakdown?.variants.map(({ name }) => name) ?? [];
  const numbers = new MemberNumbers(users, until, names);
  const personBy = new Map<string, string>();
  for (const [person, stay] of stays) {
    if (typeof person === "number") numbers.set(person, stay.from, stay.variant);
    else personBy.set(userKey(person), person);
  }
  for (const { user_id, person_id } of yield* links.all()) {
    if (stays.has(person_id)) personBy.set(userKey(user_id), person_id);
  }
  const wanted = SHARE_OF_USERS * personBy.size > users ? undefined : [...personBy.keys()];
  for (const { user_id, number } of yield* store.users(wanted)) {
    const stay = stays.get(personBy.get(user_id) ?? "");
    if (stay !== undefined) numbers.set(personOf(persons, number), stay.from, stay.variant);
  }
  return numbers;
}
