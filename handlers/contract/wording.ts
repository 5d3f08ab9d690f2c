import type { z } from "zod";
import { once } from "../../domain/once.ts";

const EXPECTED: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

// An infinite number is one that JSON could not keep: 1e400, or an integer that a double rounds.
const TOO_LARGE = `must be a finite number, at most ${Number.MAX_SAFE_INTEGER} either side where it is whole`;

function typeWords({ expected, input }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidType>): string {
  if (input === undefined) return "is required";
  if (expected === "number" && typeof input === "number" && !Number.isNaN(input)) return TOO_LARGE;
  return `must be ${EXPECTED[expected] ?? expected}`;
}

type Bounded = z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig>;

const ENTRIES: Partial<Record<Bounded["origin"], readonly [one: string, many: string]>> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
};

/** "must be at least 1", "must have at most 20 entries", "must be more than 0". */
function boundWords({ origin, inclusive = true }: Bounded, bound: number | bigint, sides: Sides): string {
  const entries = ENTRIES[origin];
  const side = inclusive ? sides.inclusive : sides.exclusive;
  return entries === undefined
    ? `must be ${side} ${bound}`
    : `must have ${side} ${bound} ${entries[bound === 1 ? 0 : 1]}`;
}

interface Sides {
  readonly inclusive: string;
  readonly exclusive: string;
}
const LEAST: Sides = { inclusive: "at least", exclusive: "more than" };
const MOST: Sides = { inclusive: "at most", exclusive: "less than" };

// The first format of a process loads the rules of all languages, which takes milliseconds.
const alternatives = once(() => new Intl.ListFormat("en", { type: "disjunction" }));

const oneOf = (values: readonly unknown[]): string =>
  `must be ${alternatives().format(values.map((value) => JSON.stringify(value)))}`;

type UnionFault = z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>;

const MUST = /^must (?:be )?/;

/**
 * A value that is none of several forms: "must be a string, a number, or true or false". Where it has the type of one form,
 * the faults of that form say more than the types of the others.
 */
function unionWords({ errors }: UnionFault): string {
  const firsts = errors.flatMap(([first]) => (first === undefined ? [] : [first]));
  const closest =
    firsts.find(({ code }) => code !== "invalid_type") ?? firsts.find(({ path }) => path.length > 0);
  if (closest !== undefined) return [...closest.path, closest.message].join(" ");
  return `must be ${alternatives().format(firsts.map(({ message }) => message.replace(MUST, "")))}`;
}

export const UNKNOWN_FIELD = "is not a known field: correct its name or leave it out";

/** Words a fault as a sentence that follows the name of the field, where the schema has no message of its own. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === "invalid_type") return typeWords(issue);
  if (issue.code === "too_small") return boundWords(issue, issue.minimum, LEAST);
  if (issue.code === "too_big") return boundWords(issue, issue.maximum, MOST);
  // Without words of our own, zod joins the names of all unknown fields.
  if (issue.code === "unrecognized_keys") return UNKNOWN_FIELD;
  if (issue.code === "invalid_union") {
    return Array.isArray(issue.options) ? oneOf(issue.options) : unionWords(issue);
  }
  return issue.code === "invalid_value" ? oneOf(issue.values) : undefined;
};
