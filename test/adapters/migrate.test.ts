import { expect, test } from "vitest";
import { NewerDatabase, pendingMigrations } from "../../adapters/migrate.ts";
import { migrations as postgresMigrations } from "../../adapters/postgres/migrations.ts";
import { migrations } from "../../adapters/sqlite/migrations.ts";

const known = [{ name: "0001_one" }, { name: "0002_two" }, { name: "0003_three" }];

test.each<[string, string[], string[]]>([
  ["a new database needs all migrations in order", [], ["0001_one", "0002_two", "0003_three"]],
  ["an older database needs the remaining migrations", ["0001_one"], ["0002_two", "0003_three"]],
  ["the order of the recorded migrations does not matter", ["0002_two", "0001_one"], ["0003_three"]],
  ["a missing migration between others is applied", ["0001_one", "0003_three"], ["0002_two"]],
  ["a database of this version needs no migration", ["0001_one", "0002_two", "0003_three"], []],
])("%s", (_name, applied, pending) => {
  expect(pendingMigrations(known, applied).map(({ name }) => name)).toEqual(pending);
});

test("a database with unknown migrations is refused with their names", () => {
  const open = () => pendingMigrations(known, ["0001_one", "0004_four", "0005_five"]);
  expect(open).toThrow(NewerDatabase);
  expect(open).toThrow(
    "This database was written by a newer version of the Analytics Server (it has 0004_four, 0005_five). " +
      "Start that version, restore a backup of before its upgrade, or name another database in ANALYTICS_DATABASE. " +
      "Nothing was changed.",
  );
});

test("each number is one migration, on both engines, and they come in the order of their numbers", () => {
  const namesOf = (all: readonly { name: string }[]) => all.map(({ name }) => name);
  const both = [...new Set([...namesOf(migrations), ...namesOf(postgresMigrations)])].sort();
  const numbers = both.map((name) => Number(/^(\d{4})_[a-z_]+$/.exec(name)?.[1]));
  expect(numbers).toEqual(both.map((_, index) => index + 1));
  for (const all of [migrations, postgresMigrations]) expect(namesOf(all)).toEqual(namesOf(all).sort());
});
