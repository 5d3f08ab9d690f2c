import type { ComponentChildren } from "preact";
import { useGuest } from "./guest.ts";

/** A link to another view. Guests may not open it, and see its text alone. */
export function ViewLink({ href, children }: { href: string; children: ComponentChildren }) {
  return useGuest() === undefined ? <a href={href}>{children}</a> : children;
}
