import type { Database } from "better-sqlite3";
import type { NotCounted } from "../../../domain/experiments/user-total.ts";
import {
  emptyRaw,
  placesOf,
  RAW,
  type RawKey,
  type RawRow,
  type Value,
  valuesIn,
  withRawValue,
} from "./cell-rows.ts";

interface UserRawKey {
  readonly test_id: number;
  readonly user_id: string;
  readonly metric_name: string;
}
interface Place {
  readonly variant_id: number;
  readonly period: number;
}
export type UserRaw = UserRawKey & Place & RawRow;

export interface Extremes {
  readonly min: number | null;
  readonly max: number | null;
}

/** Keeps the part of each user in the raw values of a metric, so that it can be given back. */
export interface UserRawValues {
  add(key: UserRawKey, place: Place, value: number | null, reason?: NotCounted): void;
  ofUser(testId: number, userId: string): readonly UserRaw[];
  /** The smallest and the largest value of the users that are stored. */
  extremes(key: RawKey): Extremes;
  /** Writes what was added, inside the transaction. */
  save(): void;
  forget(): void;
}

const KEY = ["test_id", "user_id", "metric_name", "variant_id", "period"] as const;

export function createUserRawValues(db: Database): UserRawValues {
  const select = db.prepare<[number, string, string], RawRow>(
    `select ${RAW.join(", ")} from ab_user_raw_values where test_id = ? and user_id = ? and metric_name = ?`,
  );
  const upsert = db.prepare<Value[]>(
    `insert or replace into ab_user_raw_values(${[...KEY, ...RAW].join(", ")})
     values (${placesOf(KEY.length + RAW.length)})`,
  );
  const selectOfUser = db.prepare<[number, string], UserRaw>(
    "select * from ab_user_raw_values where test_id = ? and user_id = ?",
  );
  const selectExtremes = db.prepare<RawKey, Extremes>(
    `select min(min) as min, max(max) as max from ab_user_raw_values
     where test_id = @test_id and variant_id = @variant_id and metric_name = @metric_name`,
  );
  // A user who sends many values at once changes one row.
  const open = new Map<string, { readonly key: UserRawKey & Place; readonly value: RawRow }>();

  return {
    add(key, place, value, reason) {
      const { test_id, user_id, metric_name } = key;
      // The length tells where the user's id ends, which may hold any character.
      const id = `${test_id} ${user_id.length} ${user_id}${metric_name}`;
      const known = open.get(id);
      const row = known?.value ?? select.get(test_id, user_id, metric_name) ?? emptyRaw();
      open.set(id, { key: known?.key ?? { ...key, ...place }, value: withRawValue(row, value, reason) });
    },
    ofUser: (testId, userId) => selectOfUser.all(testId, userId),
    extremes: (key) => selectExtremes.get(key) ?? { min: null, max: null },
    save() {
      for (const { key, value } of open.values()) upsert.run(...valuesIn(key, KEY), ...valuesIn(value, RAW));
    },
    forget: () => open.clear(),
  };
}
