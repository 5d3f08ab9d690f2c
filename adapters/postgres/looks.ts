import { type Look, sharpen } from "../../domain/experiments/looks.ts";
import type { Database } from "./database.ts";

export interface LookRow {
  readonly subject: string;
  readonly p_value: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

export const LOOKS_OF_TEST =
  "select subject, p_value, lower, upper from ab_looks where test_id = $1 order by subject";

const UPSERT = `
  insert into ab_looks(test_id, subject, p_value, lower, upper)
  select $1::bigint, * from unnest($2::text[], $3::float8[], $4::float8[], $5::float8[])
  on conflict (test_id, subject) do update
    set p_value = excluded.p_value, lower = excluded.lower, upper = excluded.upper`;

export const lookOf = ({ subject, p_value, lower, upper }: LookRow): Look => ({
  subject,
  p_value,
  interval: lower === null || upper === null ? null : [lower, upper],
});

/** Keeps the looks, each as sharp as it and the one kept before are together. */
export const keepLooks = (database: Database, testId: number, looks: readonly Look[]): Promise<void> =>
  database.transaction(async (query) => {
    // One after the other for each experiment, so that none is overwritten unseen.
    const found = await query("select id from ab_tests where id = $1 for no key update", [testId]);
    if (found.length === 0) return;
    const kept = (await query<LookRow>(LOOKS_OF_TEST, [testId])).map(lookOf);
    const earlierOf = (look: Look) => kept.find(({ subject }) => subject === look.subject);
    const sharpened = new Map(looks.map((look) => [look.subject, sharpen(earlierOf(look), look)]));
    const all = [...sharpened.values()];
    await query(UPSERT, [
      testId,
      all.map(({ subject }) => subject),
      all.map(({ p_value }) => p_value),
      all.map(({ interval }) => interval?.[0] ?? null),
      all.map(({ interval }) => interval?.[1] ?? null),
    ]);
  });
