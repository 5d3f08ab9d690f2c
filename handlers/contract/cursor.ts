import { z } from "zod";

const encode = (value: unknown): string =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

function decode(text: string): unknown {
  try {
    return JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return undefined;
  }
}

/**
 * A page's end as opaque text, written as what the schema reads it back from: what the schema does not accept was
 * tampered with.
 */
export function cursorOf<T, Written>(position: z.ZodType<T, Written>) {
  const Cursor = z
    .string()
    .max(500)
    .transform((text, context) => {
      const parsed = position.safeParse(decode(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: "must be a next_cursor as this server gave it" });
      return z.NEVER;
    });
  return { Cursor, next: (written: Written): string => encode(written) };
}
