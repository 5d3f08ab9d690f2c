import { describe, expect, test } from "vitest";
import { describeFunnel, FunnelQuery, planFunnel } from "../../../domain/reports/funnel.ts";
import { shareInterval } from "../../../domain/statistics/share-interval.ts";
import { isoTime } from "../../../domain/time.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const steps = [{ event_type: "view" }, { event_type: "buy", where: { plan: "pro", size: 5 } }];

function planned(query: object) {
  const plan = planFunnel(FunnelQuery.parse(query), NOW);
  if ("faults" in plan) throw new Error(JSON.stringify(plan.faults));
  return plan.value;
}

describe("the plan of a funnel", () => {
  test("is ordered, with a window and a range of thirty days, without parameters", () => {
    expect(planned({ steps })).toEqual({
      steps: [
        { event_type: "view", where: [] },
        {
          event_type: "buy",
          where: [
            { property: "plan", values: ["pro"] },
            { property: "size", values: [5] },
          ],
        },
      ],
      order: "ordered",
      window_ms: 30 * 24 * 3_600_000,
      from: Date.parse("2026-10-24T00:00:00.000Z"),
      to: NOW + 1,
      breakdown: undefined,
      limit: 10,
    });
  });

  test("reads a window in seconds, and dates as whole local days", () => {
    const query = {
      steps,
      window_seconds: 1.5,
      from: "2026-03-29",
      to: "2026-03-29",
      timezone: "Europe/Berlin",
    };
    expect(planned(query)).toMatchObject({
      window_ms: 1_500,
      from: Date.parse("2026-03-28T23:00:00.000Z"),
      to: Date.parse("2026-03-29T22:00:00.000Z"),
    });
  });

  test("refuses an empty range with the parameter", () => {
    const faults = [{ path: "from", message: "must be before the end of the range, to" }];
    const query = FunnelQuery.parse({ steps, from: "2026-11-22", to: "2026-11-21" });
    expect(planFunnel(query, NOW)).toEqual({ faults });
  });

  test.each([
    [1, "must have at least 2 steps"],
    [21, "must have at most 20 steps"],
  ])("is refused with %i steps", (count, message) => {
    const query = { steps: Array.from({ length: count }, () => ({ event_type: "view" })) };
    expect(FunnelQuery.safeParse(query).error?.issues).toMatchObject([{ path: ["steps"], message }]);
  });
});

describe("the answer to a funnel query", () => {
  const question = planned({ steps: [...steps, { event_type: "return" }], breakdown: "plan" });
  const meta = { source: "raw", exact: true, data_through: isoTime(NOW), elapsed_ms: 0 } as const;
  const none = { users: 0, median_ms: null };

  test("has rates from the start and from the previous step, and medians in seconds", () => {
    const counts = [
      { users: 200, median_ms: null },
      { users: 50, median_ms: 1_500 },
      { users: 10, median_ms: 60_000 },
    ];
    const groups = [{ group: { kind: "none" } as const, steps: [{ users: 4, median_ms: null }, none, none] }];
    const users = [{ user_id: "ann", began_at: Date.parse("2026-11-20T12:00:00Z") }];
    const step = (
      event_type: string,
      users: number,
      start: number | null,
      previous: number | null,
      median: number | null,
    ) => ({
      event_type,
      users,
      rate_from_start: start,
      rate_from_previous: previous,
      median_seconds: median,
    });
    expect(describeFunnel(question, { steps: counts, groups, users }, meta)).toEqual({
      order: "ordered",
      window_seconds: 2_592_000,
      from: "2026-10-24T00:00:00.000Z",
      to: "2026-11-22T10:00:00.001Z",
      steps: [
        step("view", 200, 1, 1, null),
        step("buy", 50, 0.25, 0.25, 1.5),
        step("return", 10, 0.05, 0.2, 60),
      ],
      completion: { rate: 0.05, interval: shareInterval(10, 200, 0.95) },
      breakdown: "plan",
      groups: [
        {
          group: null,
          is_other: false,
          steps: [step("view", 4, 1, 1, null), step("buy", 0, 0, 0, null), step("return", 0, 0, null, null)],
          completion: { rate: 0, interval: shareInterval(0, 4, 0.95) },
        },
      ],
      users: [{ user_id: "ann", began_at: "2026-11-20T12:00:00.000Z" }],
      meta,
    });
  });

  test("has no rates without users", () => {
    const shown = describeFunnel(question, { steps: [none, none, none] }, meta);
    expect(shown.completion).toEqual({ rate: null, interval: null });
    expect(shown.steps.map((step) => [step.rate_from_start, step.rate_from_previous])).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
  });
});
