import type { Database } from "better-sqlite3";
import type { Experiment } from "../../../domain/experiments/experiment.ts";
import { byAssignment } from "../../../domain/experiments/shared-people.ts";
import { covariatesIn } from "../../../domain/experiments/user-total.ts";
import {
  type Assignment,
  type AssignmentStore,
  answersFor,
  type Candidate,
  type ExperimentCandidate,
  type KnownAssignment,
  type WonAssignment,
} from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { reading } from "../failures.ts";
import { fromSql, toSql } from "../instants.ts";
import type { IdsOf } from "../people/links.ts";
import { createSlices } from "../slices.ts";
import { createTurns } from "../turns.ts";
import type { Writer } from "../writer.ts";
import type { Cells, Member } from "./cells.ts";
import type { ExperimentShelf } from "./experiments.ts";
import type { WeightPeriods } from "./weight-periods.ts";

/** Finds a user's variant in an experiment; none in an experiment that was deleted. */
export interface AssignmentFinder {
  /** The assignment that a value of this id counts under: its own, else the first one of the person. */
  assigned(testId: number, userId: string): Member | undefined;
  /** The first assignment of a person, by all their ids: the variant that they are shown. */
  first(testId: number, ids: readonly string[]): Member | undefined;
  /** The same by one of their ids. */
  firstOf(testId: number, userId: string): Member | undefined;
  forced(testId: number, userId: string): Assignment | undefined;
}

interface AssignedRow {
  variant_id: number;
  assigned_at: string;
  /** Null where the assignment is older than the cells, or another program made it. */
  period: number | null;
}
/** 1 where the user may have several ids, else 0. */
type LinkedRow = AssignedRow & { is_linked: number };

// Rows of a deleted experiment stay in the file until they are swept: see deletions.ts.
const EXISTS = "exists (select 1 from ab_tests where id = test_id)";

export function createAssignmentFinder(
  db: Database,
  periods: Pick<WeightPeriods, "at">,
  idsOf: IdsOf,
): AssignmentFinder {
  const assigned = `from ab_assignments where user_id = ? and test_id = ? and ${EXISTS}`;
  const selectAssigned = db.prepare<[string, number], AssignedRow>(
    `select variant_id, assigned_at, period ${assigned}`,
  );
  const selectLinked = db.prepare<[string, number], LinkedRow>(
    `select variant_id, assigned_at, period,
       exists (select 1 from user_links l where l.user_id = ab_assignments.user_id) as is_linked ${assigned}`,
  );
  const selectForced = db.prepare<[number, string], Assignment>(
    `select user_id, variant_id, forced_at as assigned_at from ab_forced
     where test_id = ? and user_id = ? and ${EXISTS}`,
  );

  function memberOf(testId: number, user_id: string, row: AssignedRow): Member {
    const assigned_at = fromSql(row.assigned_at);
    const period = row.period ?? periods.at(testId, assigned_at);
    return { user_id, variant_id: row.variant_id, assigned_at, period };
  }

  function own(testId: number, userId: string): Member | undefined {
    const row = selectAssigned.get(userId, testId);
    return row && memberOf(testId, userId, row);
  }

  const first = (testId: number, ids: readonly string[]): Member | undefined =>
    ids.flatMap((id) => own(testId, id) ?? []).sort(byAssignment)[0];

  /** Most users are assigned and have one id, which one statement tells. */
  function firstOf(testId: number, userId: string): Member | undefined {
    const row = selectLinked.get(userId, testId);
    const ids = row?.is_linked === 0 ? [userId] : idsOf(userId);
    return ids.length === 1 ? row && memberOf(testId, userId, row) : first(testId, ids);
  }

  return {
    assigned: (testId, userId) => own(testId, userId) ?? first(testId, idsOf(userId)),
    first,
    firstOf,
    forced: (testId, userId) => selectForced.get(testId, userId),
  };
}

// An assignment in another experiment than the one before changes two rows: its own, and a number of users.
const ROWS_AN_EXPERIMENT = 2;
const EXPERIMENTS_A_TURN = 250;
const assignmentOf = ({ user_id, variant_id, assigned_at }: Assignment): Assignment => ({
  user_id,
  variant_id,
  assigned_at,
});

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a closure over the statements, prepared once, and the acts that share them.
export function createAssignmentStore(
  db: Database,
  writer: Writer,
  shelf: ExperimentShelf,
  finder: AssignmentFinder,
  idsOf: IdsOf,
  cells: Cells,
  periods: WeightPeriods,
): AssignmentStore {
  const insert = db.prepare<[string, number, number, string, number]>(
    "insert into ab_assignments(user_id, test_id, variant_id, assigned_at, period) values (?, ?, ?, ?, ?)",
  );
  const insertAttributes = db.prepare<[number, string, string]>(
    "insert or replace into ab_attributes(test_id, user_id, attributes) values (?, ?, ?)",
  );
  const setReached = db.prepare<[Instant, number]>(
    "update ab_settings set planned_users_reached_at = ? where test_id = ?",
  );
  const inTurn = createTurns();
  const inSlices = createSlices(writer, ROWS_AN_EXPERIMENT);

  function known(testId: number, userId: string, assigned: Member | undefined): KnownAssignment | undefined {
    if (assigned !== undefined) return { ...assignmentOf(assigned), user_id: userId, forced: false };
    const forced = finder.forced(testId, userId);
    return forced && { ...forced, forced: true };
  }

  async function findAll(testIds: readonly number[], userId: string) {
    const found = new Map<number, KnownAssignment>();
    const findSome = (tests: readonly number[]): void => {
      const ids = idsOf(userId);
      for (const id of tests) {
        const assignment = known(id, userId, finder.first(id, ids));
        if (assignment !== undefined) found.set(id, assignment);
      }
    };
    for (let from = 0; from < testIds.length; from += EXPERIMENTS_A_TURN) {
      const some = testIds.slice(from, from + EXPERIMENTS_A_TURN);
      await inTurn(() => reading(() => findSome(some)));
    }
    return found;
  }

  // Writers take turns from `begin` on: no other connection can insert between the look-up and the insert.
  function assign(experiment: Experiment, candidate: Candidate, isFull: boolean): WonAssignment {
    const { user_id, variant_id, assigned_at, attributes } = candidate;
    const { id: testId, metrics } = experiment;
    const stored = finder.firstOf(testId, user_id);
    if (stored !== undefined) return { ...assignmentOf(stored), user_id, created: false, enrolled: true };
    if (isFull) return { ...assignmentOf(candidate), created: false, enrolled: false };
    const period = periods.at(testId, assigned_at);
    insert.run(user_id, testId, variant_id, toSql(assigned_at), period);
    if (attributes !== undefined) insertAttributes.run(testId, user_id, JSON.stringify(attributes));
    const member = { user_id, variant_id, assigned_at, period };
    cells.countUser(testId, member, covariatesIn(metrics, candidate));
    return { user_id, variant_id, assigned_at, created: true, enrolled: true };
  }

  /** All of one call: of an experiment that gets its last planned user by it, all the same. */
  function assignAll(testId: number, candidates: readonly Candidate[]): WonAssignment[] {
    const experiment = shelf.find(testId);
    if (experiment === undefined) throw new Error(`there is no experiment ${testId} to assign users in`);
    const { planned_users, planned_users_reached_at } = experiment;
    const won = candidates.map((candidate) =>
      assign(experiment, candidate, planned_users_reached_at !== null),
    );
    const fresh = won.filter(({ created }) => created).map(({ assigned_at }) => assigned_at);
    if (planned_users !== null && fresh.length > 0 && cells.usersOf(testId) >= planned_users) {
      setReached.run(Math.max(...fresh), testId);
      shelf.clear();
    }
    return won;
  }

  function assignSome(candidates: readonly ExperimentCandidate[]): (WonAssignment | undefined)[] {
    const there = new Set(shelf.findAll(candidates.map(({ test_id }) => test_id)).map(({ id }) => id));
    return candidates.map(({ test_id, ...candidate }) =>
      there.has(test_id) ? assignAll(test_id, [candidate])[0] : undefined,
    );
  }

  return {
    findAssignment: (testId, userId) => reading(() => known(testId, userId, finder.firstOf(testId, userId))),
    findAssignments: findAll,
    assign: <const T extends readonly Assignment[]>(testId: number, candidates: T) =>
      writer.write(candidates.length, () => answersFor(candidates, assignAll(testId, candidates))),
    assignUser: (candidates) => inSlices(candidates, assignSome),
  };
}
