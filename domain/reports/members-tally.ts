import { byAssignment } from "../experiments/shared-people.ts";
import type { Instant } from "../time.ts";
import type { Membership, MembersQuestion, VariantPeople } from "./members.ts";

/** An assignment, with the id of the person that its user belongs to. */
export interface MemberAssignment {
  readonly person_id: string;
  readonly user_id: string;
  readonly variant_id: number;
  readonly assigned_at: Instant;
}

/** Since when a person counts, and the name of their variant in the breakdown; null without one. */
export interface Stay {
  readonly from: Instant;
  readonly variant: string | null;
}

/** Each person's first assignment; people with different variants are left out. */
class FirstAssignments {
  readonly #first = new Map<string, MemberAssignment>();
  readonly #crossed = new Set<string>();

  add(assignment: MemberAssignment): void {
    const { person_id, variant_id } = assignment;
    const known = this.#first.get(person_id);
    if (known !== undefined && known.variant_id !== variant_id) this.#crossed.add(person_id);
    if (known === undefined || byAssignment(assignment, known) < 0) this.#first.set(person_id, assignment);
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
  #stays: ReadonlyMap<string, Stay> | undefined;

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

  /** Each person who counts, by their id. */
  get stays(): ReadonlyMap<string, Stay> {
    this.#stays ??= this.#parts.reduce<ReadonlyMap<string, Stay> | undefined>(
      (stays, [people, assignments]) => this.#joined(stays, people, assignments),
      undefined,
    );
    return this.#stays ?? new Map();
  }

  /** Those of the stays whose person has one of the variants too. */
  #joined(
    stays: ReadonlyMap<string, Stay> | undefined,
    people: VariantPeople,
    assignments: FirstAssignments,
  ): ReadonlyMap<string, Stay> {
    const names = new Map(people.variants.map(({ id, name }) => [id, name]));
    const joined = new Map<string, Stay>();
    for (const { person_id, variant_id, assigned_at } of assignments) {
      const name = names.get(variant_id);
      const stay = stays === undefined ? { from: assigned_at, variant: null } : stays.get(person_id);
      if (name === undefined || stay === undefined) continue;
      const variant = people === this.#breakdown ? name : stay.variant;
      joined.set(person_id, { from: Math.max(stay.from, assigned_at), variant });
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
