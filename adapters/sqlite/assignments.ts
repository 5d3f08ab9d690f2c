import type { Database } from "better-sqlite3";
import type { Assignment, AssignmentStore, ForEach, WonAssignment } from "../../domain/storage.ts";
import { reading } from "./failures.ts";
import { fromSql, toSql } from "./instants.ts";
import type { Tallies } from "./tallies.ts";
import type { Writer } from "./writer.ts";

interface AssignmentRow {
  variant_id: number;
  assigned_at: string;
}

export function createAssignmentStore(db: Database, writer: Writer, tallies: Tallies): AssignmentStore {
  const select = db.prepare<[string, number], AssignmentRow>(
    "select variant_id, assigned_at from ab_assignments where user_id = ? and test_id = ?",
  );
  const insert = db.prepare<[string, number, number, string]>(
    "insert into ab_assignments(user_id, test_id, variant_id, assigned_at) values (?, ?, ?, ?)",
  );

  function find(testId: number, user_id: string): Assignment | undefined {
    const row = select.get(user_id, testId);
    return row && { user_id, variant_id: row.variant_id, assigned_at: fromSql(row.assigned_at) };
  }

  // Writers take turns from `begin` on, so that nobody can come between the look and the insert.
  function assign(testId: number, candidate: Assignment): WonAssignment {
    const { user_id, variant_id, assigned_at } = candidate;
    const known = find(testId, user_id);
    if (known !== undefined) return { ...known, created: false };
    insert.run(user_id, testId, variant_id, toSql(assigned_at));
    tallies.countUser(testId, variant_id);
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
