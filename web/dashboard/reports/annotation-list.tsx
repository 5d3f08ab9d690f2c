import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { isolated, moment } from "../parts/format.ts";

interface AnnotationListProps {
  readonly annotations: readonly AnnotationReply[];
  readonly zone: string;
}

/** The annotations of a plot in words, with the numbers that mark them. */
export const AnnotationList = ({ annotations, zone }: AnnotationListProps) =>
  annotations.length === 0 ? null : (
    <ol class="annotations" aria-label="Annotations">
      {annotations.map(({ annotation_id, at, text }) => (
        <li key={annotation_id}>
          {moment(at, zone)}: {isolated(text)}
        </li>
      ))}
    </ol>
  );
