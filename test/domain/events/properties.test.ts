import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { Properties } from "../../../domain/events/properties.ts";

const NOT_EXACT =
  "must be a finite number, at most 9007199254740991 either side where it is whole: send it as text";
const LIMITS = { depth: 8, keys: 255 };

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return own + Object.values(value).reduce((sum: number, inner) => sum + keysOf(inner), 0);
}

const faultsOf = (value: unknown): [string, string][] => {
  const parsed = Properties.safeParse(value);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => [z.core.toDotPath(path), message]);
};

test("exactly the JSON objects within the limits are accepted, unchanged", () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 9 }), { maxKeys: 6 });
  fc.assert(
    fc.property(object, (properties) => {
      const within = depthOf(properties) <= LIMITS.depth && keysOf(properties) <= LIMITS.keys;
      const parsed = Properties.safeParse(properties);
      const named = JSON.stringify(properties).includes('"__proto__":');
      expect(parsed.success).toBe(within && !named);
      if (parsed.success) expect(parsed.data).toBe(properties);
    }),
  );
});

const nested = (levels: number, inner: unknown = 1): unknown =>
  levels === 0 ? inner : { a: nested(levels - 1, inner) };

test.each<[string, boolean, unknown]>([
  ["eight levels", true, nested(8)],
  ["nine levels", false, nested(9)],
  ["seven levels and a list in them", true, nested(7, [1])],
  ["eight levels and a list in them", false, nested(8, [])],
  ["5,000 levels", false, nested(5_000)],
])("properties of %s: accepted is %s", (_name, taken, value) => {
  expect(Properties.safeParse(value).success).toBe(taken);
});

test("a value nested too deeply is refused with its path", () => {
  expect(faultsOf(nested(9))).toEqual([["a.a.a.a.a.a.a.a", "must not be nested deeper than 8 levels"]]);
});

test("255 keys are accepted and 256 refused, including nested keys", () => {
  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
  expect(faultsOf(keys(255))).toEqual([]);
  expect(faultsOf(keys(256))).toEqual([["", "must have at most 255 keys, nested ones included"]]);
  expect(faultsOf({ a: keys(127), b: [keys(126)] })).toEqual([]);
  expect(faultsOf({ a: keys(127), b: [keys(127)] })).toHaveLength(1);
});

test.each(['{"__proto__":1}', '{"a":{"__proto__":{"b":1}}}', '{"a":[{"__proto__":null}]}'])(
  "%s is refused and does not pollute prototypes",
  (text) => {
    expect(faultsOf(JSON.parse(text)).map(([, message]) => message)).toEqual(["must not be named __proto__"]);
    expect(({} as { b?: number }).b).toBeUndefined();
  },
);

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY]])(
  "%d is refused, because JSON has no such number",
  (value) => {
    expect(faultsOf({ a: { b: [value] } })).toEqual([["a.b[0]", NOT_EXACT]]);
  },
);

test.each([[null], ["{}"], [1], [[]], [true], [undefined]])("%j is not a JSON object", (value) => {
  expect(faultsOf(value)).toEqual([["", "must be a JSON object"]]);
});

test("every fault is listed", () => {
  const value = { a: Number.NaN, b: [Number.NaN], c: nested(9) };
  expect(faultsOf(value).map(([path]) => path)).toEqual(["a", "b[0]", "c.a.a.a.a.a.a.a"]);
});

test("the check stops at the first limit that is exceeded", () => {
  let visited = 0;
  const counted = (value: unknown) =>
    new Proxy(
      Array.from({ length: 10_000 }, () => value),
      {
        get: (list, key, receiver) => {
          if (typeof key === "string" && /^\d+$/.test(key)) visited += 1;
          return Reflect.get(list, key, receiver);
        },
      },
    );
  expect(faultsOf({ numbers: counted(Number.NaN) })).toHaveLength(100);
  expect(visited).toBe(100);
  visited = 0;
  expect(faultsOf({ objects: counted({ a: 0 }) })).toHaveLength(1);
  expect(visited).toBe(255);
});
