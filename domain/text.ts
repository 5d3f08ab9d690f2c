import { z } from "zod";

const MAX_CHARACTERS = 200;
const MAX_DESCRIPTION = 2_000;

// One pass decides the common case; \p{Cs} under the u flag is a lone surrogate, which no UTF-8 store can keep.
const NAME = /^(?=[\s\S]*\S)[^\p{Cc}\p{Cs}]{1,200}$/u;
const TEXT = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u;

function nameFault(text: string): string {
  if (text.trim() === "") return "must not be blank";
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return "must not contain control characters or broken Unicode";
  return `must be at most ${MAX_CHARACTERS} characters long`;
}

/** What people call things: event types, users, sessions, tests, variants and metrics. Kept as it was sent. */
export const Name = z
  .string()
  .superRefine((text, context) => {
    if (!NAME.test(text)) context.addIssue({ code: "custom", message: nameFault(text) });
  })
  .meta({ minLength: 1, maxLength: MAX_CHARACTERS, description: "Not blank, no control characters." });

export const Description = z
  .string()
  .max(MAX_DESCRIPTION, `must be at most ${MAX_DESCRIPTION} characters long`)
  .regex(TEXT, "must not contain control characters other than tabs and line breaks");

const MAX_ENTRIES = 1_000;

/** Values by name. Too many are refused before any is looked at; a `__proto__` is refused because z.record drops it. */
export const recordOf = <Value extends z.ZodType>(value: Value, form = "must be an object") =>
  z
    .unknown()
    .superRefine((input, context) => {
      if (typeof input !== "object" || input === null) return;
      if (Object.keys(input).length > MAX_ENTRIES) {
        context.addIssue({ code: "custom", message: `must have at most ${MAX_ENTRIES} entries` });
      }
      if (!Object.hasOwn(input, "__proto__")) return;
      context.addIssue({ code: "custom", path: ["__proto__"], message: "must not be named __proto__" });
    })
    .meta({ type: "object" })
    .pipe(z.record(Name, value, { error: ({ code }) => (code === "invalid_type" ? form : undefined) }));

/** Compares texts by their UTF-16 units, as `sort` does: the same order on every machine, in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
