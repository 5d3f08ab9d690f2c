import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BodyConditions,
  holdsAll,
  propertiesOf,
  QueryConditions,
  scalarOf,
} from "../../../domain/reports/condition.ts";

const readings = (text: string) => QueryConditions.parse({ plan: text })[0]?.values;
const refusal = (schema: typeof QueryConditions | typeof BodyConditions, where: unknown) =>
  schema.safeParse(where).error?.issues.map(({ path, message }) => [path.join("."), message]);

describe("a condition of a URL", () => {
  test.each<[string, unknown[]]>([
    ["pro", ["pro"]],
    ["5", ["5", 5]],
    ["-1.50", ["-1.50", -1.5]],
    ["1e3", ["1e3", 1000]],
    ["0", ["0", 0]],
    ["true", ["true", true]],
    ["false", ["false", false]],
    ["True", ["True"]],
    ["null", ["null"]],
    ["", [""]],
    [" ", [" "]],
    [" 5", [" 5"]],
    ["05", ["05"]],
    ["+5", ["+5"]],
    ["0x10", ["0x10"]],
    [".5", [".5"]],
    ["1e999", ["1e999"]],
    ["Infinity", ["Infinity"]],
    ["NaN", ["NaN"]],
  ])("“%s” stands for itself, and for the number or boolean that JSON writes so", (text, values) => {
    expect(readings(text)).toEqual(values);
  });

  test("finds any number and boolean by the text that JSON writes it as", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()), (value) => {
        const where = QueryConditions.parse({ plan: JSON.stringify(value) });
        expect(holdsAll(where, { plan: value })).toBe(true);
      }),
    );
  });

  test("there may be none, and each property has its own", () => {
    expect(QueryConditions.parse(undefined)).toEqual([]);
    expect(QueryConditions.parse({})).toEqual([]);
    expect(QueryConditions.parse({ plan: "pro", "a.b": "x" })).toEqual([
      { property: "plan", values: ["pro"] },
      { property: "a.b", values: ["x"] },
    ]);
  });
});

test("what is no set of conditions is told how one is written", () => {
  expect(QueryConditions.safeParse("pro").error?.issues).toMatchObject([
    { message: "must be written as where[property]=value" },
  ]);
  expect(BodyConditions.safeParse("pro").error?.issues).toMatchObject([
    { message: 'must be an object, as {"plan":"pro"}' },
  ]);
});

describe("a condition of a body", () => {
  test("is of the type that it is written in", () => {
    expect(BodyConditions.parse({ a: "5", b: 5, c: true })).toEqual([
      { property: "a", values: ["5"] },
      { property: "b", values: [5] },
      { property: "c", values: [true] },
    ]);
  });

  test.each([null, {}, ["pro"]])("is never %j", (value) => {
    expect(refusal(BodyConditions, { plan: value })).toEqual([
      ["plan", "must be a text, a number, true or false"],
    ]);
  });
});

describe.each([
  ["a URL", QueryConditions],
  ["a body", BodyConditions],
])("the conditions of %s", (_name, schema) => {
  const properties = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`property ${n}`, "x"]));

  test("are of at most twenty properties", () => {
    expect(schema.parse(properties(20))).toHaveLength(20);
    expect(refusal(schema, properties(21))).toEqual([["", "must have at most 20 properties"]]);
  });

  test("are of no property that JavaScript would lose", () => {
    const where = JSON.parse('{"__proto__":"x"}');
    expect(refusal(schema, where)).toEqual([["__proto__", "must not be named __proto__"]]);
  });
});

describe("properties of an event", () => {
  test("meet conditions only with a value of the same type", () => {
    const where = (value: string | number | boolean) => [{ property: "plan", values: [value] }];
    expect(holdsAll(where("5"), { plan: "5" })).toBe(true);
    expect(holdsAll(where("5"), { plan: 5 })).toBe(false);
    expect(holdsAll(where(true), { plan: true })).toBe(true);
    expect(holdsAll(where("true"), { plan: true })).toBe(false);
    expect(holdsAll(where(0), { plan: null })).toBe(false);
    expect(holdsAll(where(""), {})).toBe(false);
  });

  test("must meet all conditions, each with one of its values", () => {
    const where = [
      { property: "plan", values: ["pro", "team"] },
      { property: "size", values: [1] },
    ];
    expect(holdsAll(where, { plan: "team", size: 1 })).toBe(true);
    expect(holdsAll(where, { plan: "team", size: 2 })).toBe(false);
    expect(holdsAll(where, { size: 1 })).toBe(false);
    expect(holdsAll([], {})).toBe(true);
  });

  test.each(["constructor", "toString", "hasOwnProperty"])(
    "do not have the %s that every object has",
    (name) => {
      expect(holdsAll([{ property: name, values: ["x"] }], {})).toBe(false);
      expect(scalarOf({}, name)).toBeNull();
    },
  );

  test.each([
    ["pro", "pro"],
    [0, 0],
    [false, false],
    ["", ""],
    [null, null],
    [{ a: 1 }, null],
    [["pro"], null],
    [undefined, null],
  ])("with the value %j are broken down under %j", (value, shown) => {
    expect(scalarOf({ plan: value }, "plan")).toBe(shown);
  });

  test("are read from the text that is stored; what is no object has none", () => {
    expect(propertiesOf('{"plan":"pro","of":{"x":[1]}}')).toEqual({ plan: "pro", of: { x: [1] } });
    for (const text of [null, "", "5", "null", "[1]", '"text"', "{plan:1}", '{"a":']) {
      expect(propertiesOf(text)).toEqual({});
    }
  });
});
