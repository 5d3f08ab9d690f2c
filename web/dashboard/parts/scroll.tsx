import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { CsvButton } from "./csv-button.tsx";

interface ScrollProps {
  readonly label: string;
  readonly stacks?: boolean;
  readonly children: ComponentChildren;
}

/** Whether an element is wider than what is shown of it. It is measured again when either changes its size. */
function useScrolls() {
  const area = useRef<HTMLElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    for (const part of [element, ...element.children]) watch.observe(part);
    return () => watch.disconnect();
  }, []);
  return { area, scrolls };
}

/** A table that scrolls where it is wider than the screen, instead of the page; and its download. */
export function Scroll({ label, stacks = false, children }: ScrollProps) {
  const { area, scrolls } = useScrolls();
  return (
    <div class="with-csv">
      {/* Keyboard users scroll with the arrow keys: a tab stop, but only where there is more to see. */}
      <section
        ref={area}
        class={stacks ? "scroll stacks" : "scroll"}
        aria-label={label}
        tabIndex={scrolls ? 0 : undefined}
      >
        {children}
      </section>
      <CsvButton name={label} />
    </div>
  );
}
