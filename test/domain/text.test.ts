import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { Description, looksLike, Name, recordOf } from "../../domain/text.ts";
import { cases } from "../random.ts";

const isName = (value: unknown) => Name.safeParse(value).success;

/** The control characters of Unicode, by their numbers: C0, DEL and C1. */
function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code <= 0x1f || (code >= 0x7f && code <= 0x9f);
}

/** The controls of writing direction, and the separators of lines and paragraphs. */
const isMisleading = (character: string): boolean =>
  /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(character);

test("a name is 1 to 200 characters, not all blank, without controls or broken Unicode", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 250 }), (text) => {
      const characters = [...text];
      const allowed =
        characters.length >= 1 &&
        characters.length <= 200 &&
        text.trim() !== "" &&
        characters.every((one) => !isControl(one) && !isMisleading(one)) &&
        text.isWellFormed();
      expect(isName(text)).toBe(allowed);
    }),
    { numRuns: cases(500) },
  );
});

test("a name is stored unchanged", () => {
  for (const text of [
    "a",
    " a ",
    "Zoe\u0308",
    "用户",
    "😀".repeat(200),
    "a\u00a0b",
    "<script>",
    "\u200b",
    "שלום 👩\u200d🔬",
  ]) {
    expect(Name.parse(text)).toBe(text);
  }
});

test.each<[unknown, string]>([
  ["", "must not be blank"],
  [" \u00a0\u3000", "must not be blank"],
  ["x".repeat(201), "must be at most 200 characters long"],
  ["😀".repeat(201), "must be at most 200 characters long"],
  ["a\nb", "must not contain control characters or broken Unicode"],
  ["a\u0085", "must not contain control characters or broken Unicode"],
  ["\ud83d", "must not contain control characters or broken Unicode"],
  ["a\u202eb", "must not contain controls of writing direction or line separators"],
  ["a\u2066b\u2069", "must not contain controls of writing direction or line separators"],
  ["\u200fa", "must not contain controls of writing direction or line separators"],
  ["a\u2028b", "must not contain controls of writing direction or line separators"],
  ["\ude00\ud83d", "must not contain control characters or broken Unicode"],
])("the name %j is refused: %s", (value, message) => {
  expect(Name.safeParse(value).error?.issues.map((issue) => issue.message)).toEqual([message]);
});

test.each([1, null, undefined, {}, ["a"]])("%j is not text", (value) => {
  expect(isName(value)).toBe(false);
});

test.each(["", "one\n\ttwo\r\nthree", "x".repeat(2_000), "😀"])("%j is a valid description", (text) => {
  expect(Description.parse(text)).toBe(text);
});

test.each(["x".repeat(2_001), "a\0", "a\u001b[31m", "\udfff"])("%j is not a valid description", (text) => {
  expect(Description.safeParse(text).success).toBe(false);
});

// A backtracking expression would exceed the time limit of the test.
test("hostile text is validated in linear time", () => {
  for (const text of [" ".repeat(1e6), `${" ".repeat(1e6)}\0`, "a".repeat(1e6), `${"\t".repeat(1e6)}x`])
    isName(text);
});

test.each<[string, string, boolean]>([
  ["red", "red", true],
  ["red", "RED", true],
  ["red", " red\u00a0", true],
  ["Zo\u00eb", "Zoe\u0308", true],
  ["\uff52ed", "red", true],
  ["stra\u00dfe", "STRASSE", true],
  ["red", "blue", false],
  ["red", "re d", false],
  ["r\u0435d", "red", false],
])("%j and %j count as the same name: %j", (a, b, same) => {
  expect([looksLike(a, b), looksLike(b, a)]).toEqual([same, same]);
});

test("a record of more than a thousand entries is refused before any entry is validated", () => {
  let looks = 0;
  const Value = z.unknown().transform(() => {
    looks += 1;
  });
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 0]));
  expect(recordOf(Value).safeParse(entries(1_000)).success).toBe(true);
  expect(looks).toBe(1_000);
  const refused = recordOf(Value).safeParse(entries(1_001));
  expect(refused.error?.issues.map(({ message }) => message)).toEqual(["must have at most 1000 entries"]);
  expect(looks).toBe(1_000);
});
