import type { Instant } from "../time.ts";
import type { Membership, MembersQuestion, VariantPeople } from "./members.ts";

/** The id of a person, or the number that storage has for the person. */
export type PersonKey = string | number;

/** An assignment of a person. All assignments of one person have the same key. */
export interface MemberAssignment {
  readonly person: PersonKey;
  readonly variant_id: number;
  /** Infinity where it is unknown: then nothing counts as later. */
  readonly assigned_at: Instant;
}

/** Since when a person counts, and the name of their variant in the breakdown; null without one. */
export interface Stay {
  readonly from: Instant;
  readonly variant: string | null;
}

/**
 * The first assignment of each person. People with different variants are left out, so two assignments at the same time are
 * equal.
 */
class FirstAssignments {
  readonly #first = new Map<PersonKey, MemberAssignment>();
  readonly #crossed = new Set<PersonKey>();

  add(assignment: MemberAssignment): void {
    const { person, variant_id, assigned_at } = assignment;
    const known = this.#first.get(person);
    if (known !== undefined && known.variant_id !== variant_id) this.#crossed.add(person);
    if (known === undefined || assigned_at < known.assigned_at) this.#first.set(person, assignment);
  }

  *[Symbol.iterator](): Generator<MemberAssignment> {
    for (const [person, assignment] of this.#first) if (!this.#crossed.has(person)) yield assignment;
  }
}

/**
 * The plain definition of who a report is about. It is given the assignments of each experiment of the question, in any order,
 * and then asked.
 */
export class Members implements Membership {
  readonly #parts: readonly (readonly [VariantPeople, FirstAssignments])[];
  readonly #breakdown: VariantPeople | undefined;
  /** The last instant that counts. */
  readonly until: Instant;
  #stays: ReadonlyMap<PersonKey, Stay> | undefined;

  constructor({ among, breakdown }: MembersQuestion) {
    const all = breakdown === undefined ? among : [...among, breakdown];
    this.#parts = all.map((people) => [people, new FirstAssignments()]);
    this.#breakdown = breakdown;
    this.until = Math.min(...all.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
  }

  /** The experiments whose assignments are needed. */
  get tests(): ReadonlySet<number> {
    return new Set(this.#parts.map(([{ test_id }]) => test_id));
  }

  add(testId: number, assignment: MemberAssignment): void {
    for (const [{ test_id }, assignments] of this.#parts) if (test_id === testId) assignments.add(assignment);
  }

  /** Each person who counts, by their key. */
  get stays(): ReadonlyMap<PersonKey, Stay> {
    this.#stays ??= this.#parts.reduce<ReadonlyMap<PersonKey, Stay> | undefined>(
      (stays, [people, assignments]) => this.#joined(stays, people, assignments),
      undefined,
    );
    return this.#stays ?? new Map();
  }

  /** Those of the stays whose person has one of the variants too. */
  #joined(
    stays: ReadonlyMap<PersonKey, Stay> | undefined,
    people: VariantPeople,
    assignments: FirstAssignments,
  ): ReadonlyMap<PersonKey, Stay> {
    const names = new Map(people.variants.map(({ id, name }) => [id, name]));
    const joined = new Map<PersonKey, Stay>();
    for (const { person, variant_id, assigned_at } of assignments) {
      const name = names.get(variant_id);
      const stay = stays === undefined ? { from: assigned_at, variant: null } : stays.get(person);
      if (name === undefined || stay === undefined) continue;
      const variant = people === this.#breakdown ? name : stay.variant;
      joined.set(person, { from: Math.max(stay.from, assigned_at), variant });
    }
    return joined;
  }

  has(person: string | null, at: Instant): boolean {
    const stay = person === null ? undefined : this.stays.get(person);
    return stay !== undefined && at >= stay.from && at <= this.until;
  }

  variantOf(person: string | null): string | null {
    return (person === null ? undefined : this.stays.get(person)?.variant) ?? null;
  }
}
