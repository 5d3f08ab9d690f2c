import { describe, expect, test } from "vitest";
import { metaOf } from "../../../domain/reports/answer.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const verificationOf = (value: unknown, recomputed: unknown) =>
  metaOf({ source: "rollup", value, recomputed }, START, START).verification;

describe("the meta of an answer", () => {
  test("states the source, the age of the data and the duration", () => {
    expect(metaOf({ source: "raw", value: 1 }, START, START + 12)).toEqual({
      source: "raw",
      exact: true,
      data_through: "2026-11-22T10:00:00.000Z",
      elapsed_ms: 12,
    });
  });

  test("states that verification succeeded if both answers are equal", () => {
    expect(verificationOf([{ total: 1, values: [1, 0] }], [{ total: 1, values: [1, 0] }])).toEqual({
      ok: true,
      differences: [],
    });
  });

  test("lists every path where the second answer differs, with both values", () => {
    const answered = [{ total: 2, values: [1, 1], group: "a" }];
    const recomputed = [{ total: 1, values: [1, 0, 3], group: "a" }, { total: 5 }];
    expect(verificationOf(answered, recomputed)).toEqual({
      ok: false,
      differences: [
        { path: "0.total", answered: 2, recomputed: 1 },
        { path: "0.values.1", answered: 1, recomputed: 0 },
        { path: "0.values.2", answered: undefined, recomputed: 3 },
        { path: "1", answered: undefined, recomputed: { total: 5 } },
      ],
    });
  });

  test("distinguishes null from a missing value, and a number from its text", () => {
    expect(verificationOf({ a: null, b: 5 }, { b: "5" })).toEqual({
      ok: false,
      differences: [
        { path: "a", answered: null, recomputed: undefined },
        { path: "b", answered: 5, recomputed: "5" },
      ],
    });
  });

  test("lists at most twenty differences", () => {
    const many = Array.from({ length: 30 }, (_, n) => n);
    const found = verificationOf(
      many,
      many.map((n) => n + 1),
    );
    expect(found?.ok).toBe(false);
    expect(found?.differences).toHaveLength(20);
  });
});
