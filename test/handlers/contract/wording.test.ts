import { expect, test } from "vitest";
import { z } from "zod";
import { endpoints } from "../../../handlers/contract/endpoints.ts";
import { faultsOf } from "../../../handlers/contract/faults.ts";
import { wording } from "../../../handlers/contract/wording.ts";

const messagesOf = (schema: z.ZodType, value: unknown): string[] => {
  const { error } = schema.safeParse(value, { error: wording });
  return error === undefined ? [] : faultsOf(error).map(({ message }) => message);
};

const form = <View extends string>(view: View) => z.strictObject({ view: z.literal(view) });

test.each([
  ["a missing value", z.string(), undefined, "is required"],
  ["a number instead of a string", z.string(), 5, "must be a string"],
  ["null", z.number(), null, "must be a number"],
  ["NaN", z.number(), Number.NaN, "must be a number"],
  ["an object that cannot be made a number", z.number(), [{ toString: "" }], "must be a number"],
  ["a fraction", z.int(), 1.5, "must be a whole number"],
  ["the string true", z.boolean(), "true", "must be true or false"],
  ["an object instead of a list", z.array(z.string()), {}, "must be a list"],
  ["a list instead of an object", z.strictObject({}), [], "must be an object"],
  ["a number below the minimum", z.number().min(1), 0, "must be at least 1"],
  ["an excluded minimum", z.number().gt(0), 0, "must be more than 0"],
  ["a number above the maximum", z.number().max(9), 10, "must be at most 9"],
  ["an excluded maximum", z.number().lt(1), 1, "must be less than 1"],
  ["a list that is too long", z.array(z.string()).max(1), ["a", "b"], "must have at most 1 entry"],
  ["a text that is too short", z.string().min(2), "a", "must have at least 2 characters"],
  ["a list that is too short", z.array(z.string()).min(2), [], "must have at least 2 entries"],
  ["an unknown word of three", z.enum(["a", "b", "c"]), "d", 'must be "a", "b", or "c"'],
  ["an unknown word of two", z.enum(["hour", "day"]), "year", 'must be "hour" or "day"'],
  [
    "an unknown form",
    z.discriminatedUnion("view", [form("a"), form("b")]),
    { view: 7 },
    'must be "a" or "b"',
  ],
  ["a value of no form", z.union([z.string(), z.boolean()]), 5, "must be a string or true or false"],
  ["a value that is too small for its form", z.union([z.number().min(1), z.null()]), 0, "must be at least 1"],
  [
    "a form with a fault",
    z.union([z.number(), z.strictObject({ relative: z.number() })]),
    { relative: "x" },
    "relative must be a number",
  ],
  ["a schema with a custom message", z.string("must be a name"), 5, "must be a name"],
] as const)("the message for %s states what is required", (_what, schema, value, message) => {
  expect(messagesOf(schema, value)).toEqual([message]);
});

const WRONG = [
  7,
  -1,
  1.5,
  1e300,
  "x",
  "",
  "x".repeat(70_000),
  true,
  null,
  [],
  [7],
  ["x"],
  [{}],
  {},
  { gte: [] },
  { view: 1 },
];

/** The names of the fields of an object, however it is wrapped. */
function fieldsOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  return schema instanceof z.ZodPipe && schema.in instanceof z.ZodType ? fieldsOf(schema.in) : [];
}

test.each(
  endpoints.flatMap(({ name, params, query, body }) =>
    [params, query, body].flatMap((schema) => (schema === undefined ? [] : [[name, schema] as const])),
  ),
)("%s words every fault itself, in place of its schemas", (_, schema) => {
  const wrong = [...WRONG, ...fieldsOf(schema).flatMap((name) => WRONG.map((value) => ({ [name]: value })))];
  const messages = wrong.flatMap((value) => messagesOf(schema, value));
  expect(messages.filter((message) => /^(?:Invalid|Too |Unrecognized)/.test(message))).toEqual([]);
});
