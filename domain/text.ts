import { z } from "zod";

const MAX_CHARACTERS = 200;
const MAX_DESCRIPTION = 2_000;

// Control characters (\p{Cc}), and lone surrogates (\p{Cs} with the u flag), which UTF-8 cannot store.
const BROKEN = "\\p{Cc}\\p{Cs}";
// The line and paragraph separators, and the controls of writing direction: U+202E in a variant's name turns the figures
// of a sentence around.
const MISLEADING = "\\u2028\\u2029\\p{Bidi_Control}";

// One expression decides the common case.
const NAME = new RegExp(`^(?=[\\s\\S]*\\S)[^${BROKEN}${MISLEADING}]{1,${MAX_CHARACTERS}}$`, "u");
const TEXT = new RegExp(`^(?:[^${BROKEN}]|[\\t\\n\\r])*$`, "u");
const HAS_BROKEN = new RegExp(`[${BROKEN}]`, "u");
const HAS_MISLEADING = new RegExp(`[${MISLEADING}]`, "u");

function nameFault(text: string): string {
  if (text.trim() === "") return "must not be blank";
  if (HAS_BROKEN.test(text)) return "must not contain control characters or broken Unicode";
  if (HAS_MISLEADING.test(text)) return "must not contain controls of writing direction or line separators";
  return `must be at most ${MAX_CHARACTERS} characters long`;
}

/** A name of an event type, user, session, experiment, variant or metric. It is stored as it was sent. */
export const Name = z
  .string()
  .superRefine((text, context) => {
    if (!NAME.test(text)) context.addIssue({ code: "custom", message: nameFault(text) });
  })
  .meta({
    minLength: 1,
    maxLength: MAX_CHARACTERS,
    description: "Not blank, no control characters or controls of writing direction.",
  });

export const isName = (value: unknown): value is string => typeof value === "string" && NAME.test(value);

export const isNameOrNone = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || isName(value);

export const Description = z
  .string()
  .max(MAX_DESCRIPTION, `must be at most ${MAX_DESCRIPTION} characters long`)
  .regex(TEXT, "must not contain control characters other than tabs and line breaks");

const MAX_ENTRIES = 1_000;

/** Values by name. Too many are refused before any is looked at; a `__proto__` is refused because z.record drops it. */
export const recordOf = <Value extends z.ZodType>(
  value: Value,
  form = "must be an object",
  maxEntries = MAX_ENTRIES,
) =>
  z
    .unknown()
    .superRefine((input, context) => {
      if (typeof input !== "object" || input === null) return;
      if (Object.keys(input).length > maxEntries) {
        context.addIssue({ code: "custom", message: `must have at most ${maxEntries} entries` });
      }
      if (!Object.hasOwn(input, "__proto__")) return;
      context.addIssue({ code: "custom", path: ["__proto__"], message: "must not be named __proto__" });
    })
    .meta({ type: "object" })
    .pipe(z.record(Name, value, { error: ({ code }) => (code === "invalid_type" ? form : undefined) }));

/**
 * Whether people would read two names as the same one: they differ at most in case, surrounding space and Unicode form.
 *
 * @example looksLike("Red", " red") // true
 */
export const looksLike = (a: string, b: string): boolean => lookOf(a) === lookOf(b);

const lookOf = (name: string): string => name.normalize("NFKC").trim().toUpperCase().toLowerCase();

/** Compares texts by their UTF-16 units, as `sort` does: the same order on every machine, in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
