import { addSums } from "../statistics/exact-sum.ts";
import { byText } from "../text.ts";
import type { Instant } from "../time.ts";
import { type Experiment, isDeclared } from "./experiment.ts";
import type { CellSums, CellUsers } from "./joined-cells.ts";
import {
  addUser,
  contributionsOf,
  dayOf,
  noSums,
  removeUser,
  type Sums,
  type UserTotal,
  type Values,
} from "./user-total.ts";

// A person may have been assigned under several ids before these were linked. Storage counts each id in its own cell, and
// neither assignments nor cells change with a link: this file corrects the cells while they are read.

/** The total of one user on one metric. */
export interface DatedTotal {
  readonly metric_name: string;
  readonly declared: boolean;
  /** The day of the latest change. */
  readonly day: number;
  readonly total: UserTotal;
}

/** One of several assignments of one person in an experiment. */
export interface PersonAssignment {
  readonly person_id: string;
  readonly user_id: string;
  readonly variant_id: number;
  readonly period: number;
  readonly assigned_at: Instant;
  readonly totals: readonly DatedTotal[];
}

/** The earlier assignment; of two at the same time, that of the id that sorts first. */
export const byAssignment = (
  a: Pick<PersonAssignment, "assigned_at" | "user_id">,
  b: Pick<PersonAssignment, "assigned_at" | "user_id">,
): number => a.assigned_at - b.assigned_at || byText(a.user_id, b.user_id);

/** A person's assignments, the first one first. */
export type SharedPerson = readonly [PersonAssignment, ...PersonAssignment[]];

/** The assignments of each person. */
export function personsOf(assignments: readonly PersonAssignment[]): SharedPerson[] {
  const persons = new Map<string, SharedPerson>();
  for (const one of [...assignments].sort(byAssignment)) {
    const known = persons.get(one.person_id);
    persons.set(one.person_id, known === undefined ? [one] : [...known, one]);
  }
  return [...persons.values()];
}

/** Whether the ids have different variants: what the person did cannot be attributed to one of them. */
export const isCrossed = ([first, ...others]: SharedPerson): boolean =>
  others.some(({ variant_id }) => variant_id !== first.variant_id);

const together = (a: Values, b: Values): Values => ({
  count: a.count + b.count,
  total: addSums(a.total, b.total),
});

/** The totals of both as one user's. The covariate is that of the first one, who was assigned first. */
export const joinTotals = (a: UserTotal, b: UserTotal): UserTotal => ({
  own: together(a.own, b.own),
  denominator: together(a.denominator, b.denominator),
  covariate: a.covariate,
});

const withoutCovariate = (total: UserTotal): UserTotal => ({ ...total, covariate: 0 });

/** The first assignment, with what all ids of the person have counted. */
export function joinPerson([first, ...others]: SharedPerson): PersonAssignment {
  const totals = new Map(first.totals.map((one) => [one.metric_name, one]));
  for (const one of others.flatMap((other) => other.totals)) {
    const known = totals.get(one.metric_name);
    totals.set(one.metric_name, {
      ...one,
      total: known === undefined ? withoutCovariate(one.total) : joinTotals(known.total, one.total),
    });
  }
  return { ...first, totals: [...totals.values()] };
}

/** The rows of cells: over all days, or by day. */
export interface CellRows {
  readonly users: readonly CellUsers[];
  readonly sums: readonly CellSums[];
}

/** Changes cells by whole users. */
class OpenCells {
  readonly #experiment: Experiment;
  readonly #users = new Map<string, CellUsers>();
  readonly #sums = new Map<string, CellSums>();

  constructor(experiment: Experiment, { users, sums }: CellRows) {
    this.#experiment = experiment;
    for (const row of users) this.#users.set(`${row.day} ${row.variant_id} ${row.period}`, row);
    for (const row of sums) this.#sums.set(keyOfSums(row), row);
  }

  move({ variant_id, period, totals }: PersonAssignment, day: number, by: 1 | -1): void {
    const key = `${day} ${variant_id} ${period}`;
    const cell = this.#users.get(key) ?? { day, variant_id, period, users: 0 };
    this.#users.set(key, { ...cell, users: cell.users + by });
    for (const { metric_name, declared, total } of totals) {
      const [own] = contributionsOf(this.#experiment.metrics, metric_name);
      if (own === undefined || isDeclared(this.#experiment, metric_name) !== declared) continue;
      const place = { day, variant_id, period, metric_name, declared };
      const sums: Sums = this.#sums.get(keyOfSums(place))?.sums ?? noSums;
      const change = by === 1 ? addUser : removeUser;
      this.#sums.set(keyOfSums(place), { ...place, sums: change(sums, own.metric, total) });
    }
  }

  get rows(): CellRows {
    return { users: [...this.#users.values()], sums: [...this.#sums.values()] };
  }
}

const keyOfSums = ({ day, variant_id, period, declared, metric_name }: Omit<CellSums, "sums">): string =>
  `${day} ${variant_id} ${period} ${declared} ${metric_name}`;

/** The last day on which one of the person's cells changed: until then the timeline shows each id as a user. */
const lastDayOf = (person: SharedPerson): number =>
  Math.max(...person.flatMap((one) => [dayOf(one.assigned_at), ...one.totals.map(({ day }) => day)]));

/**
 * Cells in which each person counts once, under their first assignment. A person whose ids have different variants does
 * not count at all. `allDays` is the day of the rows, where they are over all days.
 *
 * @example Two users in "red", ids of one person with the values 2 and 3, become one user with Σy = 5 and Σy² = 25.
 */
export function countPeopleOnce(
  experiment: Experiment,
  rows: CellRows,
  assignments: readonly PersonAssignment[],
  allDays?: number,
): CellRows {
  const cells = new OpenCells(experiment, rows);
  for (const person of personsOf(assignments)) {
    const day = allDays ?? lastDayOf(person);
    for (const one of person) cells.move(one, day, -1);
    if (!isCrossed(person)) cells.move(joinPerson(person), day, 1);
  }
  return cells.rows;
}

/** How many people have several variants. */
export const crossedOf = (assignments: readonly PersonAssignment[]): number =>
  personsOf(assignments).filter(isCrossed).length;

/** Each of these ids, with the assignments of its person. */
export const personsByUser = (assignments: readonly PersonAssignment[]): ReadonlyMap<string, SharedPerson> =>
  new Map(personsOf(assignments).flatMap((person) => person.map(({ user_id }) => [user_id, person])));

/** A user's counted values of one metric. */
interface Observed extends Pick<UserTotal, "own" | "denominator"> {
  readonly user_id: string;
}

/**
 * The users with the values of all ids of their person. A person is left out at all ids but the first one with a value,
 * and where their variants differ.
 */
export function observePeopleOnce(
  experiment: Experiment,
  metricName: string,
  users: readonly Observed[],
  assignments: readonly PersonAssignment[],
): Observed[] {
  const isMetric = ({ metric_name, declared }: DatedTotal): boolean =>
    metric_name === metricName && declared === isDeclared(experiment, metricName);
  const persons = personsByUser(assignments);
  return users.flatMap((user) => {
    const person = persons.get(user.user_id);
    if (person === undefined) return [user];
    const having = person.filter(({ totals }) =>
      totals.some((one) => isMetric(one) && one.total.own.count > 0),
    );
    const [shownAt] = having.map(({ user_id }) => user_id).sort(byText);
    const joined = joinPerson(person).totals.find(isMetric);
    if (isCrossed(person) || shownAt !== user.user_id || joined === undefined) return [];
    const { own, denominator } = joined.total;
    return [{ user_id: user.user_id, own, denominator }];
  });
}

/** The users of a segment's page, with the totals of all ids of their person; a person is shown at their first assignment. */
export function showPeopleOnce<
  User extends Pick<PersonAssignment, "user_id"> & { readonly totals: readonly object[] },
>(experiment: Experiment, users: readonly User[], assignments: readonly PersonAssignment[]) {
  const persons = personsByUser(assignments);
  return users.flatMap((user) => {
    const person = persons.get(user.user_id);
    if (person === undefined) return [user];
    if (isCrossed(person) || person[0].user_id !== user.user_id) return [];
    const totals = joinPerson(person).totals.filter(
      ({ metric_name, declared }) => declared === isDeclared(experiment, metric_name),
    );
    return [{ ...user, totals }];
  });
}
