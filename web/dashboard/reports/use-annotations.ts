import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { listAnnotations } from "../access/api.ts";
import { useAnswer } from "../access/use-answer.ts";

interface Range {
  readonly from: string;
  readonly to: string;
}

const MOST = "30";
const NONE: readonly AnnotationReply[] = [];

/** The newest annotations of a range, oldest first. None while they load: a plot does not wait for them. */
export function useAnnotations({ from, to }: Range): readonly AnnotationReply[] {
  const { value } = useAnswer(`annotations ${from} ${to}`, async (signal) => {
    const { annotations } = await listAnnotations({ from, to, limit: MOST }, signal);
    return [...annotations].reverse();
  });
  return value ?? NONE;
}
