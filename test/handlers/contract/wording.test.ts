import { expect, test } from "vitest";
import { z } from "zod";
import { faultsOf } from "../../../handlers/contract/faults.ts";
import { wording } from "../../../handlers/contract/wording.ts";

const messagesOf = (schema: z.ZodType, value: unknown): string[] => {
  const { error } = schema.safeParse(value, { error: wording });
  return error === undefined ? [] : faultsOf(error).map(({ message }) => message);
};

test.each([
  ["nothing", z.string(), undefined, "is required"],
  ["another type than a string", z.string(), 5, "must be a string"],
  ["null", z.number(), null, "must be a number"],
  ["not a number", z.number(), Number.NaN, "must be a number"],
  ["a broken number", z.int(), 1.5, "must be a whole number"],
  ["the string true", z.boolean(), "true", "must be true or false"],
  ["an object in place of a list", z.array(z.string()), {}, "must be a list"],
  ["a list in place of an object", z.strictObject({}), [], "must be an object"],
  ["too small a number", z.number().min(1), 0, "must be at least 1"],
  ["the bound itself where it is excluded", z.number().gt(0), 0, "must be more than 0"],
  ["too large a number", z.number().max(9), 10, "must be at most 9"],
  ["its other bound", z.number().lt(1), 1, "must be less than 1"],
  ["too long a list", z.array(z.string()).max(1), ["a", "b"], "must have at most 1 entry"],
  ["too short a text", z.string().min(2), "a", "must have at least 2 characters"],
  ["too short a list", z.array(z.string()).min(2), [], "must have at least 2 entries"],
  ["none of many words", z.enum(["a", "b", "c"]), "d", 'must be "a", "b", or "c"'],
  ["none of some words", z.enum(["hour", "day"]), "year", 'must be "hour" or "day"'],
  ["a word of the schema's own", z.string("must be a name"), 5, "must be a name"],
] as const)("the message for %s states the requirement", (_what, schema, value, message) => {
  expect(messagesOf(schema, value)).toEqual([message]);
});
