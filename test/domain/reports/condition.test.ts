import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BodyConditions,
  type Condition,
  holdsAll,
  isEquality,
  propertiesOf,
  QueryConditions,
  scalarOf,
} from "../../../domain/reports/condition.ts";

/** The values that the property plan may have where a URL says `where[plan]=text`. */
function readings(text: string) {
  const [condition] = QueryConditions.parse({ plan: text });
  return condition !== undefined && isEquality(condition) ? condition.values : undefined;
}
const refusal = (schema: typeof QueryConditions | typeof BodyConditions, where: unknown) =>
  schema.safeParse(where).error?.issues.map(({ path, message }) => [path.join("."), message]);

const BODY_VALUE = 'must be a text, a number, true or false, or a comparison, as {"gte":10}';

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
    ["9007199254740991", ["9007199254740991", 9007199254740991]],
    ["9007199254740993", ["9007199254740993"]],
  ])("“%s” matches the text and the number or boolean of that JSON", (text, values) => {
    expect(readings(text)).toEqual(values);
  });

  test("matches every number and boolean by its JSON", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()), (value) => {
        const where = QueryConditions.parse({ plan: JSON.stringify(value) });
        expect(holdsAll(where, { plan: value })).toBe(true);
      }),
    );
  });

  test("is optional, and applies to one property each", () => {
    expect(QueryConditions.parse(undefined)).toEqual([]);
    expect(QueryConditions.parse({})).toEqual([]);
    expect(QueryConditions.parse({ plan: "pro", "a.b": "x" })).toEqual([
      { property: "plan", values: ["pro"] },
      { property: "a.b", values: ["x"] },
    ]);
  });
});

describe("a comparison of a URL", () => {
  const property = "price";

  test.each<[string, string, Condition]>([
    ["price][gte", "10", { property, operator: "gte", operand: 10 }],
    ["price][gt", "-1.5", { property, operator: "gt", operand: -1.5 }],
    ["price][lte", "1e3", { property, operator: "lte", operand: 1000 }],
    ["price][lt", "0", { property, operator: "lt", operand: 0 }],
    ["price][not", "5", { property, operator: "not", operand: ["5", 5] }],
    ["price][contains", "%", { property, operator: "contains", operand: "%" }],
    ["price][set", "", { property, operator: "set" }],
    ["price][not_set", "1", { property, operator: "not_set" }],
    ["a[b]][not_set", "true", { property: "a[b]", operator: "not_set" }],
    ["price][above", "5", { property: "price][above", values: ["5", 5] }],
  ])("where[%s]=%s is %j", (key, text, condition) => {
    expect(QueryConditions.parse({ [key]: text })).toEqual([condition]);
  });

  test.each([
    ["price][gte", "ten", "price.gte", "must be a number"],
    ["price][lt", "", "price.lt", "must be a number"],
    ["price][gte", "9007199254740993", "price.gte", "must be a number"],
    ["price][contains", "", "price.contains", "must not be empty"],
    ["price][not_set", "0", "price.not_set", "takes no value: write where[price][not_set]=1"],
  ])("where[%s]=%s is refused", (key, text, path, message) => {
    expect(refusal(QueryConditions, { [key]: text })).toEqual([[path, message]]);
  });
});

describe("a comparison of a body", () => {
  test("has an operator for each bound", () => {
    const where = {
      price: { gte: 10, lt: 20 },
      plan: { not: "pro" },
      name: { contains: "a" },
      x: { not_set: true },
    };
    expect(BodyConditions.parse(where)).toEqual([
      { property: "price", operator: "gte", operand: 10 },
      { property: "price", operator: "lt", operand: 20 },
      { property: "plan", operator: "not", operand: ["pro"] },
      { property: "name", operator: "contains", operand: "a" },
      { property: "x", operator: "not_set" },
    ]);
    expect(BodyConditions.parse({ x: { set: true } })).toEqual([{ property: "x", operator: "set" }]);
  });

  test.each<unknown>([{ gte: "10" }, { set: false }, { gte: Number.POSITIVE_INFINITY }])(
    "cannot be %j",
    (comparison) => {
      expect(refusal(BodyConditions, { price: comparison })).toEqual([["price", BODY_VALUE]]);
    },
  );

  test("without a known operator is refused", () => {
    expect(refusal(BodyConditions, { price: { above: 10 } })?.[0]?.[0]).toBe("price");
    expect(refusal(BodyConditions, { price: {} })).toEqual([
      ["price", 'must have an operator, as {"gte":10}'],
    ]);
  });

  test("counts each operator as a condition", () => {
    const names = Array.from({ length: 11 }, (_, n) => [`p${n}`, { gte: 1, lt: 2 }]);
    expect(refusal(BodyConditions, Object.fromEntries(names))).toEqual([
      ["", "must have at most 20 conditions"],
    ]);
  });
});

test("a value that is not an object of conditions is refused with the expected form", () => {
  expect(QueryConditions.safeParse("pro").error?.issues).toMatchObject([
    { message: "must be written as where[property]=value" },
  ]);
  expect(BodyConditions.safeParse("pro").error?.issues).toMatchObject([
    { message: 'must be an object, as {"plan":"pro"}' },
  ]);
});

describe("a condition of a body", () => {
  test("matches only values of its own type", () => {
    expect(BodyConditions.parse({ a: "5", b: 5, c: true })).toEqual([
      { property: "a", values: ["5"] },
      { property: "b", values: [5] },
      { property: "c", values: [true] },
    ]);
  });

  test.each([null, ["pro"]])("cannot be %j", (value) => {
    expect(refusal(BodyConditions, { plan: value })).toEqual([["plan", BODY_VALUE]]);
  });
});

describe.each([
  ["a URL", QueryConditions],
  ["a body", BodyConditions],
])("the conditions of %s", (_name, schema) => {
  const properties = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`property ${n}`, "x"]));

  test("are limited to twenty", () => {
    expect(schema.parse(properties(20))).toHaveLength(20);
    expect(refusal(schema, properties(21))).toEqual([["", "must have at most 20 conditions"]]);
  });

  test("refuse the property __proto__", () => {
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

  test.each<[Condition, unknown[], unknown[]]>([
    [{ property: "x", operator: "gte", operand: 5 }, [5, 6], [4.9, "5", null, true, undefined]],
    [{ property: "x", operator: "gt", operand: 5 }, [5.1], [5, "6"]],
    [{ property: "x", operator: "lte", operand: 5 }, [5, -1], [5.1, "4", null]],
    [{ property: "x", operator: "lt", operand: 5 }, [4.9], [5, null]],
    [{ property: "x", operator: "contains", operand: "Ab" }, ["ab", "xAB"], ["a b", ["ab"], 5, null]],
    [{ property: "x", operator: "not", operand: ["5", 5] }, [6, null, undefined, [5]], ["5", 5]],
    [{ property: "x", operator: "set" }, [0, "", false, [], {}], [null, undefined]],
    [{ property: "x", operator: "not_set" }, [null, undefined], [0, "", false, [], {}]],
  ])("meet %j with %j and not with %j", (condition, meeting, others) => {
    const meets = (x: unknown): boolean => holdsAll([condition], x === undefined ? {} : { x });
    expect(meeting.filter(meets)).toEqual(meeting);
    expect(others.filter(meets)).toEqual([]);
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

  test.each(["constructor", "toString", "hasOwnProperty"])("do not include the inherited %s", (name) => {
    expect(holdsAll([{ property: name, values: ["x"] }], {})).toBe(false);
    expect(scalarOf({}, name)).toBeNull();
  });

  test.each([
    ["pro", "pro"],
    [0, 0],
    [false, false],
    ["", ""],
    [null, null],
    [{ a: 1 }, null],
    [["pro"], null],
    [undefined, null],
  ])("with the value %j are grouped as %j", (value, shown) => {
    expect(scalarOf({ plan: value }, "plan")).toBe(shown);
  });

  test("are parsed from stored text, and empty if the text is not an object", () => {
    expect(propertiesOf('{"plan":"pro","of":{"x":[1]}}')).toEqual({ plan: "pro", of: { x: [1] } });
    for (const text of [null, "", "5", "null", "[1]", '"text"', "{plan:1}", '{"a":']) {
      expect(propertiesOf(text)).toEqual({});
    }
  });
});
