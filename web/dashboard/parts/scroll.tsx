import type { ComponentChildren } from "preact";

interface ScrollProps {
  readonly label: string;
  readonly stacks?: boolean;
  readonly children: ComponentChildren;
}

/** Scrolls content that is wider than the screen, instead of the page. */
export const Scroll = ({ label, stacks = false, children }: ScrollProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users scroll with the arrow keys.
  <section class={stacks ? "scroll stacks" : "scroll"} aria-label={label} tabIndex={0}>
    {children}
  </section>
);
