import { describe, expect, test } from "vitest";
import { MAX_PINNED, MAX_QUESTIONS } from "../../../domain/reports/saved-question.ts";
import { DAY } from "../../../domain/time.ts";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { computeFunnel } from "../../../handlers/reports/compute-funnel.ts";
import { getRetention } from "../../../handlers/reports/get-retention.ts";
import { getTrend } from "../../../handlers/reports/get-trend.ts";
import { deleteQuestion } from "../../../handlers/reports/saved-questions/delete-question.ts";
import { listQuestions } from "../../../handlers/reports/saved-questions/list-questions.ts";
import { saveQuestion } from "../../../handlers/reports/saved-questions/save-question.ts";
import { updateQuestion } from "../../../handlers/reports/saved-questions/update-question.ts";
import { call, faultPathsOf, NOW, openEdge, openWorld, refusalOf, type TestWorld } from "../../world.ts";

const trend = (query: object = {}, range: string | null = null) => ({ report: "trend", range, query });
const STEPS = [{ event_type: "view" }, { event_type: "buy" }];

const save = async (world: TestWorld, body: object) => (await call(saveQuestion, world, { body })).body;
const refused = (world: TestWorld, body: object) => refusalOf(call(saveQuestion, world, { body }));
const change = (world: TestWorld, question_id: string, body: object) =>
  call(updateQuestion, world, { params: { question_id }, body });
const listed = async (world: TestWorld, query: object = {}) =>
  (await call(listQuestions, world, { query })).body.questions;
const namesOf = async (world: TestWorld, query: object = {}) =>
  (await listed(world, query)).map(({ name }) => name);

/** Two users who view on several days, one of whom buys. */
async function withEvents(): Promise<TestWorld> {
  const world = openWorld();
  const event = (user_id: string, event_type: string, days: number, price: number) => ({
    event_type,
    user_id,
    properties: { price },
    timestamp: new Date(NOW - days * DAY).toISOString(),
  });
  const body = [
    event("ann", "view", 40, 1),
    event("ann", "view", 3, 20),
    event("bob", "view", 2, 5),
    event("ann", "buy", 1, 20),
  ];
  await call(trackEvents, world, { body });
  return world;
}

describe("saved questions", () => {
  test("are stored with their name, and are listed oldest first", async () => {
    const world = openWorld();
    const question = trend({ event_type: ["view"], where: { price: { gte: 10 } } }, "last_7_days");
    const saved = await save(world, { name: "Dear views", question, pinned: true });
    const first = {
      question_id: expect.any(String),
      name: "Dear views",
      pinned: true,
      question,
      created_at: "2026-11-22T10:00:00.000Z",
    };
    expect(saved).toEqual({ success: true, ...first });
    world.advance(1);
    await save(world, { name: "All", question: { report: "trend", query: {} } });
    expect(await listed(world)).toEqual([
      first,
      {
        question_id: expect.any(String),
        name: "All",
        pinned: false,
        question: trend(),
        created_at: "2026-11-22T10:00:00.001Z",
      },
    ]);
    expect(await namesOf(world, { pinned: "1" })).toEqual(["Dear views"]);
  });

  test("are renamed, pinned and replaced, each without a change of the rest", async () => {
    const world = openWorld();
    const { question_id } = await save(world, { name: "Views", question: trend({ event_type: "view" }) });
    const changes = [
      { name: "views" },
      { pinned: true },
      { question: trend({ event_type: "buy" }, "today") },
      {},
    ];
    for (const body of changes) await change(world, question_id, body);
    expect(await listed(world)).toEqual([
      {
        question_id,
        name: "views",
        pinned: true,
        question: trend({ event_type: "buy" }, "today"),
        created_at: "2026-11-22T10:00:00.000Z",
      },
    ]);
  });

  test("are deleted once, and cannot be changed afterwards", async () => {
    const world = openWorld();
    const { question_id } = await save(world, { name: "Views", question: trend() });
    const params = { question_id };
    expect(await call(deleteQuestion, world, { params })).toEqual({ outcome: "deleted", body: undefined });
    expect(await listed(world)).toEqual([]);
    for (const late of [
      () => call(deleteQuestion, world, { params }),
      () => change(world, question_id, {}),
    ]) {
      expect(await refusalOf(late())).toMatchObject({
        code: "not_found",
        detail: `There is no saved question ${question_id}. It may have been deleted: load the list again.`,
      });
    }
  });

  test("have names that people can tell apart", async () => {
    const world = openWorld();
    await save(world, { name: "Weekly sales", question: trend() });
    const { question_id } = await save(world, { name: "Sales", question: trend() });
    const taken = {
      code: "conflict",
      detail:
        "There is a saved question named “Weekly sales” already: choose another name, or change that one.",
      errors: [{ path: "name", message: "is the name of another saved question" }],
    };
    expect(await refused(world, { name: "weekly SALES ", question: trend() })).toEqual(taken);
    expect(await refusalOf(change(world, question_id, { name: "Weekly sales" }))).toEqual(taken);
    expect(await namesOf(world)).toEqual(["Weekly sales", "Sales"]);
  });

  test("are saved at the same time under one name only once", async () => {
    const world = openWorld();
    const saved = await Promise.allSettled(
      [1, 2, 3].map(() => save(world, { name: "Views", question: trend() })),
    );
    expect(saved.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(await namesOf(world)).toEqual(["Views"]);
  });

  test("are bounded in number, and so are those that are pinned", async () => {
    const world = openWorld();
    for (let index = 0; index < MAX_QUESTIONS; index += 1) {
      await save(world, { name: `question ${index}`, question: trend(), pinned: index < MAX_PINNED });
    }
    expect(await refused(world, { name: "one more", question: trend() })).toMatchObject({
      code: "conflict",
      detail: "There are 200 saved questions, which is the most: delete one first.",
    });
    const [{ question_id = "" } = {}] = (await listed(world)).slice(-1);
    expect(await refusalOf(change(world, question_id, { pinned: true }))).toMatchObject({
      code: "conflict",
      detail: "12 questions are pinned to the overview, which is the most: unpin one first.",
    });
    expect((await change(world, question_id, { name: "another" })).body.name).toBe("another");
  });

  test.each([
    ["a report of no such name", { question: { report: "guess", query: {} } }, "question.report"],
    ["no query", { question: { report: "trend" } }, "question.query"],
    ["an unknown parameter", { question: trend({ colour: "red" }) }, "question.query.colour"],
    [
      "a value that the report refuses",
      { question: trend({ interval: "decade" }) },
      "question.query.interval",
    ],
    [
      "a condition that the report refuses",
      { question: trend({ where: { price: { gte: "many" } } }) },
      "question.query.where.price.gte",
    ],
    ["an empty range", { question: trend({ from: "2026-11-02", to: "2026-11-01" }) }, "question.query.from"],
    [
      "too many buckets",
      { question: trend({ interval: "hour" }, "last_9999_days") },
      "question.query.interval",
    ],
    ["a range of no such name", { question: trend({}, "tomorrow") }, "question.range"],
    ["two ranges", { question: trend({ from: "2026-11-01" }, "today") }, "question.range"],
    ["one step", { question: { report: "funnel", query: { steps: [STEPS[0]] } } }, "question.query.steps"],
    [
      "a list of users",
      {
        question: { report: "funnel", query: { steps: STEPS, users: { step: 1, outcome: "left" } } },
      },
      "question.query.users",
    ],
    ["a verification", { question: trend({ verify: 1 }) }, "question.query.verify"],
    [
      "too many periods",
      { question: { report: "retention", query: { periods: 27 } } },
      "question.query.periods",
    ],
    [
      "an experiment that there is not",
      { question: trend({ experiment: { checkout: "red" } }) },
      "question.query.experiment.checkout",
    ],
    ["a blank name", { name: " " }, "name"],
    ["201 characters", { name: "x".repeat(201) }, "name"],
  ])("with %s are refused, and nothing is stored or changed", async (_name, part, path) => {
    const world = openWorld();
    const body = { name: "Views", question: trend(), ...part };
    expect(await faultPathsOf(call(saveQuestion, world, { body }))).toEqual(["invalid", path]);
    expect(await listed(world)).toEqual([]);
    const kept = await save(world, { name: "Kept", question: trend() });
    expect(await faultPathsOf(change(world, kept.question_id, part))).toEqual(["invalid", path]);
    expect((await listed(world)).map(({ name, question }) => [name, question])).toEqual([["Kept", trend()]]);
  });

  test("that are pinned are answered as their reports answer", async () => {
    const world = await withEvents();
    const from = "2026-11-16";
    const asked = [
      { name: "trend", question: trend({ event_type: ["view"], where: { price: { gte: 10 } }, from }) },
      { name: "funnel", question: { report: "funnel", query: { steps: STEPS, from } } },
      { name: "retention", question: { report: "retention", query: { interval: "day", periods: 3, from } } },
    ];
    for (const one of asked) await save(world, { ...one, pinned: true });
    await save(world, { name: "not pinned", question: trend() });
    const answers = (await listed(world, { include: "answers" })).map(({ name, answer }) => [name, answer]);
    const answerOfTrend = await call(getTrend, world, {
      query: { event_type: "view", where: { "price][gte": "10" }, from },
    });
    const answerOfFunnel = await call(computeFunnel, world, { body: { steps: STEPS, from } });
    const answerOfRetention = await call(getRetention, world, {
      query: { interval: "day", periods: "3", from },
    });
    expect(answers).toEqual([
      ["trend", { trend: answerOfTrend.body }],
      ["funnel", { funnel: answerOfFunnel.body }],
      ["retention", { retention: answerOfRetention.body }],
      ["not pinned", undefined],
    ]);
    expect(answerOfTrend.body.series.map(({ total }) => total)).toEqual([1]);
    expect(answerOfFunnel.body.steps.map(({ users }) => users)).toEqual([2, 1]);
  });

  test("with a relative range move with time, in their time zone", async () => {
    const world = openWorld();
    const timezone = "Asia/Tokyo";
    for (const [name, range, compare] of [
      ["days", "last_2_days", {}],
      ["week", "this_week", { compare: "previous" }],
    ] as const) {
      await save(world, { name, question: trend({ timezone, ...compare }, range), pinned: true });
    }
    const ranges = async () =>
      (await listed(world, { include: "answers" })).map(({ answer }) =>
        answer !== undefined && "trend" in answer ? [answer.trend.from, answer.trend.to] : [],
      );
    expect(await ranges()).toEqual([
      ["2026-11-20T15:00:00.000Z", "2026-11-22T10:00:00.001Z"],
      ["2026-11-15T15:00:00.000Z", "2026-11-22T15:00:00.000Z"],
    ]);
    world.advance(DAY);
    expect(await ranges()).toEqual([
      ["2026-11-21T15:00:00.000Z", "2026-11-23T10:00:00.001Z"],
      ["2026-11-22T15:00:00.000Z", "2026-11-29T15:00:00.000Z"],
    ]);
  });

  test("that cannot be answered say why, next to the answers of the others", async () => {
    const world = await withEvents();
    const large = trend({ interval: "hour", breakdown: "price", limit: 100 }, "last_365_days");
    await save(world, { name: "large", question: large, pinned: true });
    await save(world, { name: "small", question: trend(), pinned: true });
    const [first, second] = await listed(world, { include: "answers" });
    expect(first?.answer).toEqual({
      problem:
        "This trend has too many figures for the overview. Open it, or save it with a longer interval or fewer lines.",
    });
    expect(second?.answer).toMatchObject({ trend: { series: [{ total: 3 }] } });
  });

  test("are written over HTTP with an admin key only, and within 16 KiB", async () => {
    const key = (letter: string): string => letter.repeat(16);
    const [write, read, admin] = [key("w"), key("r"), key("a")];
    const { send } = openEdge({ keys: { write: [write], read: [read], admin: [admin] } });
    const body = { name: "Views", question: trend() };
    const statusWith = async (
      role: string,
      method: string,
      path = "/apiv1/questions",
      sent: object = body,
    ) => {
      const headers = { authorization: `Bearer ${role}`, "content-type": "application/json" };
      return (await send({ method, path, headers, body: method === "GET" ? undefined : sent })).status;
    };
    for (const role of [write, read]) {
      expect(await statusWith(role, "POST")).toBe(403);
      expect(await statusWith(role, "PATCH", "/apiv1/questions/salt-1")).toBe(403);
      expect(await statusWith(role, "DELETE", "/apiv1/questions/salt-1")).toBe(403);
    }
    expect(await statusWith(admin, "POST")).toBe(201);
    expect(await statusWith(write, "GET")).toBe(403);
    expect(await statusWith(read, "GET", "/apiv1/questions?pinned=1&include=answers")).toBe(200);
    const long = { ...body, padding: "x".repeat(16 * 1024) };
    expect(await statusWith(admin, "POST", "/apiv1/questions", long)).toBe(413);
  });
});
