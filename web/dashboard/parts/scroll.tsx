import type { ComponentChildren } from "preact";

interface ScrollProps {
  readonly label: string;
  readonly stacks?: boolean;
  readonly children: ComponentChildren;
}

/** Holds what may be wider than the screen: it is scrolled, and the page is not. */
export const Scroll = ({ label, stacks = false, children }: ScrollProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls with the arrow keys.
  <section class={stacks ? "scroll stacks" : "scroll"} aria-label={label} tabIndex={0}>
    {children}
  </section>
);
