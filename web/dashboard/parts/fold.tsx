import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

interface FoldProps {
  readonly label: string;
  /** How many of the fields have a value of their own. */
  readonly active: number;
  readonly children: ComponentChildren;
}

/** Fields of a group that a phone shows on request, so that the figures are on the first screen. */
export function Fold({ label, active, children }: FoldProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="fold"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        {active === 0 ? label : `${label}: ${active} active`}
      </button>
      <div id={id} class={open ? "grouped" : "grouped folded"}>
        {children}
      </div>
    </>
  );
}
