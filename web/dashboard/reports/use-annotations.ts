import { useMemo } from "preact/hooks";
import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import type { Meta } from "../../../domain/reports/answer.ts";
import { listAnnotations } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { useGuest } from "../shared/guest.ts";

interface Range {
  readonly from: string;
  readonly to: string;
  /** Until when the figures are known. A range that ends later is still open. */
  readonly meta?: Pick<Meta, "data_through">;
}

/** The end of a range as of now: an annotation may be added after the figures were loaded. */
function endOf({ to, meta }: Range): string {
  const now = new Date(Date.now() + 1).toISOString();
  return meta !== undefined && to > meta.data_through && to < now ? now : to;
}

/** The annotations of a plot. */
export interface Annotations {
  /** Oldest first. */
  readonly shown: readonly AnnotationReply[];
  /** Whether the range of the plot has a time. */
  covers(at: string): boolean;
  /** Loads them again. */
  again(): void;
}

const MOST = "30";
const NONE: readonly AnnotationReply[] = [];

/** The newest annotations of a range, oldest first. None while they load: a plot does not wait for them. A guest has them. */
export function useAnnotations(range: Range): Annotations {
  const { from, to } = range;
  const guest = useGuest();
  const { value, again } = useAnswer(
    guest === undefined ? `annotations ${from} ${to}` : undefined,
    (signal) => listAnnotations({ from, to: endOf(range), limit: MOST }, signal),
  );
  const found = guest !== undefined && "annotations" in guest ? guest : value;
  const shown = useMemo(() => [...(found?.annotations ?? NONE)].reverse(), [found]);
  return { shown, covers: (at) => at >= from && at < endOf(range), again };
}
