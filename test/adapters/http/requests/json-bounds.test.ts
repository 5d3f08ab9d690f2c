import fc from "fast-check";
import { expect, test } from "vitest";
import { exceededBound } from "../../../../adapters/http/requests/json-bounds.ts";

/** Counts objects, lists and the commas between their entries in a parsed value. */
function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const entries = Object.values(value);
  return (
    1 + Math.max(0, entries.length - 1) + entries.reduce((sum: number, one) => sum + countValues(one), 0)
  );
}

const levelsOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levelsOf)) : 0;

const jsonOf = (value: unknown, indent: number): Uint8Array =>
  Buffer.from(JSON.stringify(value, undefined, indent));

test("the count of values in a JSON text equals the count in the parsed value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(2), (value, indent) => {
      const budget = { left: 1_000_000 };
      exceededBound(jsonOf(value, indent), budget);
      expect(1_000_000 - budget.left).toBe(countValues(value));
    }),
  );
});

test("a text is refused exactly if it has more values than the budget", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const count = countValues(value);
      expect(exceededBound(jsonOf(value, 0), { left: count })).toBeUndefined();
      if (count > 0) expect(exceededBound(jsonOf(value, 0), { left: count - 1 })).toBe("values");
    }),
  );
});

test("sixteen levels of lists or objects are accepted, and seventeen refused", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 14, maxLength: 19 }), (lists) => {
      const nested = lists.reduce((inner: unknown, isList) => (isList ? [inner] : { "[{": inner }), 0);
      const expected = levelsOf(nested) > 16 ? "levels" : undefined;
      expect(exceededBound(jsonOf(nested, 0), { left: 1_000 })).toBe(expected);
    }),
  );
});

test("the scan of arbitrary bytes terminates", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([undefined, "values", "levels"]).toContain(exceededBound(bytes, { left: 5 }));
    }),
  );
});
