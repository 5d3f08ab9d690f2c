import { expect, test } from "vitest";
import { createExperiment } from "../../../handlers/experiments/create-experiment.ts";
import { getResults } from "../../../handlers/experiments/get-results.ts";
import { listExperiments } from "../../../handlers/experiments/list-experiments.ts";
import {
  call,
  colours,
  coloursReply,
  faultPathsOf,
  openWorld,
  type TestWorld,
  withColours,
} from "../../world.ts";

async function withTests(world: TestWorld, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    await call(createExperiment, world, { body: { ...colours, test_name: `test ${n}` } });
  }
}

const idsOf = (tests: readonly { id: number }[]) => tests.map(({ id }) => id);
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => from - n);

test("without tests the list is empty", async () => {
  expect(await call(listExperiments, openWorld())).toStrictEqual({
    outcome: "ok",
    body: { tests: [], next_cursor: null },
  });
});

test("tests are listed whole, the newest first", async () => {
  const world = openWorld();
  await withColours(world);
  world.advance(1_000);
  await withColours(world, { changes: { test_name: "second" } });
  const second = {
    id: 2,
    test_name: "second",
    created_at: "2026-11-22T10:00:01.000Z",
    variants: [
      { id: 3, variant_name: "red", description: "Red button", weight: 0.5, is_control: true, value: "red" },
      {
        id: 4,
        variant_name: "blue",
        description: "Blue button",
        weight: 0.5,
        is_control: false,
        value: "blue",
      },
    ],
  };
  expect((await call(listExperiments, world)).body).toStrictEqual({
    tests: [coloursReply(second), coloursReply()],
    next_cursor: null,
  });
});

test("a page holds 50 tests unless asked otherwise, and its cursor leads to the rest", async () => {
  const world = openWorld();
  await withTests(world, 52);
  const { body: first } = await call(listExperiments, world);
  expect(idsOf(first.tests)).toEqual(down(52, 3));
  const { body: rest } = await call(listExperiments, world, { query: { cursor: first.next_cursor } });
  expect(idsOf(rest.tests)).toEqual([2, 1]);
  expect(rest.next_cursor).toBeNull();
});

test.each([1, 3, 4, 5, 11, 12])("pages of %i together are the whole list, each test once", async (limit) => {
  const world = openWorld();
  await withTests(world, 12);
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const query: object = { limit: String(limit), ...(cursor === null ? {} : { cursor }) };
    const { body }: { body: { tests: readonly { id: number }[]; next_cursor: string | null } } = await call(
      listExperiments,
      world,
      { query },
    );
    expect(body.tests.length).toBeGreaterThan(0);
    seen.push(...idsOf(body.tests));
    cursor = body.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(down(12, 1));
});

test("tests that are created while somebody pages do not shift the pages", async () => {
  const world = openWorld();
  await withTests(world, 4);
  const { body: first } = await call(listExperiments, world, { query: { limit: "2" } });
  await withColours(world);
  const { body } = await call(listExperiments, world, { query: { limit: "2", cursor: first.next_cursor } });
  expect(idsOf(body.tests)).toEqual([2, 1]);
});

test("?status= lists the tests of that status alone", async () => {
  const world = openWorld();
  await withTests(world, 2);
  const listed = async (status: string) =>
    idsOf((await call(listExperiments, world, { query: { status } })).body.tests);
  expect(await listed("running")).toEqual([2, 1]);
  expect(await listed("draft")).toEqual([]);
  expect(await listed("stopped")).toEqual([]);
  expect(await listed("archived")).toEqual([]);
});

test.each<[string, object, string]>([
  ["an unknown status", { status: "running twice" }, "status"],
  ["a status asked for twice", { status: ["running", "stopped"] }, "status"],
  ["a page of none", { limit: "0" }, "limit"],
  ["a page of 201", { limit: "201" }, "limit"],
  ["half a page", { limit: "1.5" }, "limit"],
  ["a limit that is no number", { limit: "many" }, "limit"],
  ["a limit without a value", { limit: "" }, "limit"],
  ["a limit as only JavaScript writes it", { limit: "0x10" }, "limit"],
  ["an empty cursor", { cursor: "" }, "cursor"],
  ["a cursor that is no base64", { cursor: "%%%" }, "cursor"],
  ["a cursor of another kind", { cursor: btoa('{"id":1}').replace(/=+$/, "") }, "cursor"],
  ["a cursor before the first id", { cursor: btoa("0").replace(/=+$/, "") }, "cursor"],
  ["a cursor between two ids", { cursor: btoa("1.5").replace(/=+$/, "") }, "cursor"],
  ["a cursor that is not finite", { cursor: btoa("1e999").replace(/=+$/, "") }, "cursor"],
  ["a cursor of 501 characters", { cursor: "1".repeat(501) }, "cursor"],
  ["an unknown parameter", { page: "2" }, "page"],
])("%s is refused by name", async (_name, query, path) => {
  expect(await faultPathsOf(call(listExperiments, openWorld(), { query }))).toEqual(["invalid", path]);
});

test("a cursor that was cut short is refused, and none shows more than a place in the list", async () => {
  const world = openWorld();
  await withTests(world, 3);
  const { body } = await call(listExperiments, world, { query: { limit: "1" } });
  const query = { cursor: `${body.next_cursor}!` };
  expect(await faultPathsOf(call(listExperiments, world, { query }))).toEqual(["invalid", "cursor"]);
});

test("the outcome of each test is that of its results", async () => {
  const world = openWorld();
  await withColours(world, { users: { ann: "red", bob: "blue" } });
  await withColours(world, { changes: { test_name: "second" } });
  const { body } = await call(listExperiments, world, { query: { include: "outcome" } });
  const { body: results } = await call(getResults, world, { params: { test_id: "1" } });
  expect(body.tests.map(({ id, outcome }) => ({ id, outcome }))).toEqual([
    {
      id: 2,
      outcome: {
        users: 0,
        verdict: {
          kind: "no_data",
          metric_name: null,
          variant_name: null,
          summary:
            "No user has been assigned yet, so there is nothing to judge: if that is a surprise, check that your program asks for variants.",
        },
      },
    },
    { id: 1, outcome: { users: 2, verdict: results.verdict } },
  ]);
});
