import { expect, test } from "vitest";
import { NewerDatabase, pendingMigrations } from "../../adapters/migrate.ts";
import { migrations } from "../../adapters/sqlite/migrations.ts";

const known = [{ name: "0001_one" }, { name: "0002_two" }, { name: "0003_three" }];

test.each<[string, string[], string[]]>([
  ["a new database needs all of them, in their order", [], ["0001_one", "0002_two", "0003_three"]],
  ["an older database needs the rest", ["0001_one"], ["0002_two", "0003_three"]],
  ["the order they were recorded in does not matter", ["0002_two", "0001_one"], ["0003_three"]],
  ["a gap is filled", ["0001_one", "0003_three"], ["0002_two"]],
  ["a database of this version needs none", ["0001_one", "0002_two", "0003_three"], []],
])("%s", (_name, applied, pending) => {
  expect(pendingMigrations(known, applied).map(({ name }) => name)).toEqual(pending);
});

test("a database that holds what this version does not know is refused, in words that name it", () => {
  const open = () => pendingMigrations(known, ["0001_one", "0004_four", "0005_five"]);
  expect(open).toThrow(NewerDatabase);
  expect(open).toThrow(
    "This database was written by a newer version of the Analytics Server (it has 0004_four, 0005_five). " +
      "Start that version, or name another file in ANALYTICS_DATABASE. Nothing was changed.",
  );
});

test("the names of SQLite's migrations are numbered from 1 without a gap, and each stands once", () => {
  const numbers = migrations.map(({ name }) => Number(/^(\d{4})_[a-z_]+$/.exec(name)?.[1]));
  expect(numbers).toEqual(migrations.map((_, index) => index + 1));
});
