import { z } from "zod";
import { Name } from "../text.ts";
import { type Instant, IsoTime, isoTime, Timestamp } from "../time.ts";

/** A moment that explains a figure, such as a deploy or a campaign. It is drawn on time axes. */
export interface Annotation {
  readonly annotation_id: string;
  readonly at: Instant;
  readonly text: string;
}

export const AnnotationInput = z.strictObject({
  text: Name,
  at: Timestamp.optional().meta({ description: "When it happened; now without it." }),
});

export const AnnotationReply = z
  .strictObject({ annotation_id: z.string(), at: IsoTime, text: z.string() })
  .meta({ id: "Annotation" });
export type AnnotationReply = z.infer<typeof AnnotationReply>;

export const describeAnnotation = ({ at, ...rest }: Annotation): AnnotationReply => ({
  ...rest,
  at: isoTime(at),
});
