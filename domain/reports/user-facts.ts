import { MAX_VALUE } from "../experiments/metric.ts";
import { addValue, type ExactSum, noSum } from "../statistics/exact-sum.ts";
import { isName } from "../text.ts";
import type { Instant } from "../time.ts";
import { propertiesOf } from "./condition.ts";

// What users did before a moment of each, such as their assignment: a total, or the last value of a property.

/** A user, and the stretch of time that is asked about: `from` is part of it, `to` is not. */
export interface UserStretch {
  readonly user_id: string;
  readonly from: Instant;
  readonly to: Instant;
}

export type FactsQuestion = { readonly users: readonly UserStretch[] } & (
  | {
      /** The sum of a property over the user's events of a type; without a property, how many events there are. */
      readonly kind: "total";
      readonly event_type: string;
      readonly property: string | null;
    }
  | {
      /** The value of a property in the latest of the user's events that has one. */
      readonly kind: "last_value";
      readonly property: string;
    }
);

/** A value that users can be grouped by. */
export type FactValue = string | number | boolean;

/** A total is a number, and 0 without events; a last value is null where no event has the property. */
export type Fact = FactValue | null;

/** The value, where it can stand for a group of users; undefined for null, objects, lists and long texts. */
export function factValueOf(value: unknown): FactValue | undefined {
  if (typeof value === "string") return isName(value) ? value : undefined;
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

/** An event of one of the users. */
export interface FactEvent {
  readonly id: number;
  readonly occurred_at: Instant;
  readonly properties: string | null;
}

const comesAfter = (a: FactEvent, b: FactEvent): boolean =>
  a.occurred_at > b.occurred_at || (a.occurred_at === b.occurred_at && a.id > b.id);

/** The plain definition of the facts: events are added in any order, each with the place of its user in the question. */
export class FactsTally {
  readonly #question: FactsQuestion;
  readonly #totals = new Map<number, ExactSum>();
  readonly #last = new Map<number, { readonly event: FactEvent; readonly value: FactValue }>();

  constructor(question: FactsQuestion) {
    this.#question = question;
  }

  /** Adds an event of the question's type. One outside of its user's stretch changes nothing. */
  add(place: number, event: FactEvent): void {
    const { from = 0, to = 0 } = this.#question.users[place] ?? {};
    if (event.occurred_at < from || event.occurred_at >= to) return;
    if (this.#question.kind === "total") this.#addValue(place, event, this.#question.property);
    else this.#addLast(place, event, this.#question.property);
  }

  /** Whether a last value is known for the user. */
  hasLast(place: number): boolean {
    return this.#last.has(place);
  }

  #addValue(place: number, event: FactEvent, property: string | null): void {
    const value = property === null ? 1 : propertiesOf(event.properties)[property];
    if (typeof value !== "number" || Math.abs(value) > MAX_VALUE) return;
    this.#totals.set(place, addValue(this.#totals.get(place) ?? noSum, value));
  }

  #addLast(place: number, event: FactEvent, property: string): void {
    const known = this.#last.get(place);
    if (known !== undefined && !comesAfter(event, known.event)) return;
    const properties = propertiesOf(event.properties);
    const value = Object.hasOwn(properties, property) ? factValueOf(properties[property]) : undefined;
    if (value !== undefined) this.#last.set(place, { event, value });
  }

  /** One for each user of the question, in its order. */
  facts(): Fact[] {
    const { kind, users } = this.#question;
    return users.map((_, place) =>
      kind === "total" ? (this.#totals.get(place)?.high ?? 0) : (this.#last.get(place)?.value ?? null),
    );
  }
}

/** The time that all stretches of the question lie in. */
export function rangeOfFacts({ users }: FactsQuestion): { readonly from: Instant; readonly to: Instant } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const user of users) {
    // An empty stretch, or one of a time that is none.
    if (!(user.from < user.to)) continue;
    from = Math.min(from, user.from);
    to = Math.max(to, user.to);
  }
  return { from, to: Math.max(from, to) };
}
