import type { Database } from "better-sqlite3";
import type {
  Assignment,
  AssignmentStore,
  ForEach,
  KnownAssignment,
  WonAssignment,
} from "../../domain/storage.ts";
import { reading } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Tallies } from "./tallies.ts";
import type { Writer } from "./writer.ts";

/** Finds users' variants, for whoever stores something of them. */
export interface AssignmentFinder {
  assigned(testId: number, userId: string): Assignment | undefined;
  forced(testId: number, userId: string): Assignment | undefined;
}

export function createAssignmentFinder(db: Database): AssignmentFinder {
  const selectAssigned = db.prepare<[string, number], { variant_id: number; assigned_at: string }>(
    "select variant_id, assigned_at from ab_assignments where user_id = ? and test_id = ?",
  );
  const selectForced = db.prepare<[number, string], Assignment>(
    "select user_id, variant_id, forced_at as assigned_at from ab_forced where test_id = ? and user_id = ?",
  );
  return {
    assigned(testId, user_id) {
      const row = selectAssigned.get(user_id, testId);
      return row && { user_id, variant_id: row.variant_id, assigned_at: fromSql(row.assigned_at) };
    },
    forced: (testId, userId) => selectForced.get(testId, userId),
  };
}

export function createAssignmentStore(
  db: Database,
  writer: Writer,
  finder: AssignmentFinder,
  tallies: Tallies,
): AssignmentStore {
  const insert = db.prepare<[string, number, number, string]>(
    "insert into ab_assignments(user_id, test_id, variant_id, assigned_at) values (?, ?, ?, ?)",
  );

  function find(testId: number, userId: string): KnownAssignment | undefined {
    const assigned = finder.assigned(testId, userId);
    if (assigned !== undefined) return { ...assigned, forced: false };
    const forced = finder.forced(testId, userId);
    return forced && { ...forced, forced: true };
  }

  // Writers take turns from `begin` on, so that nobody can come between the look and the insert.
  function assign(testId: number, candidate: Assignment): WonAssignment {
    const { user_id, variant_id, assigned_at } = candidate;
    const known = finder.assigned(testId, user_id);
    if (known !== undefined) return { ...known, created: false };
    insert.run(user_id, testId, variant_id, toSql(assigned_at));
    tallies.countUser(testId, variant_id, assigned_at);
    return { user_id, variant_id, assigned_at, created: true };
  }

  return {
    findAssignment: (testId, userId) => reading(() => find(testId, userId)),
    assign: <const T extends readonly Assignment[]>(testId: number, candidates: T) =>
      writer.write(
        candidates.length,
        () =>
          candidates.map((candidate) => assign(testId, candidate)) as unknown as ForEach<T, WonAssignment>,
      ),
  };
}
