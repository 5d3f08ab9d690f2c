import { useMemo } from "preact/hooks";
import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { listAnnotations } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";
import { useGuest } from "../shared/guest.ts";

interface Range {
  readonly from: string;
  readonly to: string;
}

const MOST = "30";
const NONE: readonly AnnotationReply[] = [];

/** The newest annotations of a range, oldest first. None while they load: a plot does not wait for them. A guest has them. */
export function useAnnotations({ from, to }: Range): readonly AnnotationReply[] {
  const guest = useGuest();
  const { value } = useAnswer(guest === undefined ? `annotations ${from} ${to}` : undefined, (signal) =>
    listAnnotations({ from, to, limit: MOST }, signal),
  );
  const found = guest !== undefined && "annotations" in guest ? guest : value;
  return useMemo(() => [...(found?.annotations ?? NONE)].reverse(), [found]);
}
