import { z } from "zod";
import { ExperimentReply } from "../experiments/experiment.ts";
import { Results } from "../experiments/results/results.ts";
import { Segments } from "../experiments/results/segment-results.ts";
import { Timeline } from "../experiments/results/timeline.ts";
import { AnnotationReply } from "../reports/annotation.ts";
import { Funnel } from "../reports/funnel.ts";
import { Overview } from "../reports/overview.ts";
import { Zone } from "../reports/range.ts";
import { RelativeRange } from "../reports/relative-range.ts";
import { Retention } from "../reports/retention.ts";
import { Trend } from "../reports/trend.ts";
import { Name, recordOf } from "../text.ts";

const Parameters = recordOf(z.unknown()).meta({
  description:
    'The parameters of the report\'s endpoint as JSON: {"event_type":["signup"],"where":{"price":{"gte":10}}}.',
});

const Range = RelativeRange.nullable().default(null).meta({
  description: "A range that moves with the day on which the link is opened, in place of from and to.",
});

/** A report with its parameters, as saved questions have it. It is stored as it was sent: nothing here transforms it. */
const reportPage = <View extends string>(view: View) =>
  z.strictObject({ view: z.literal(view), range: Range, query: Parameters });

const OverviewPage = reportPage("overview");
const TrendPage = reportPage("trend");
const FunnelPage = reportPage("funnel");
const RetentionPage = reportPage("retention");
const ExperimentPage = z.strictObject({
  view: z.literal("experiment"),
  test_id: z.int().min(1),
  segment: Name.optional().meta({ description: "Also shows the results of each value of this property." }),
  timezone: Zone.meta({ description: "In which the times of the page are shown." }),
});

/** The one page that a share link opens. */
export const SharedPage = z
  .discriminatedUnion("view", [OverviewPage, TrendPage, FunnelPage, RetentionPage, ExperimentPage])
  .meta({ id: "SharedPage" });
export type SharedPage = z.infer<typeof SharedPage>;

/** An experiment without what its page does not need, and without the team's notes. */
const SharedExperiment = ExperimentReply.omit({ notes: true, exclusion_group: true, holdout: true }).extend({
  variants: z.array(ExperimentReply.shape.variants.element.omit({ value: true })),
});
export type SharedExperiment = z.infer<typeof SharedExperiment>;

/** The experiment as a share link shows it. */
export function sharedExperiment(experiment: ExperimentReply): SharedExperiment {
  const { notes: _, exclusion_group: __, holdout: ___, variants, ...rest } = experiment;
  return { ...rest, variants: variants.map(({ value: ____, ...variant }) => variant) };
}

const annotations = z.array(AnnotationReply);

/** A page with everything that it shows. */
export const SharedAnswer = z
  .discriminatedUnion("view", [
    OverviewPage.extend({ overview: Overview, sessions: Trend, annotations }),
    TrendPage.extend({ trend: Trend, annotations }),
    FunnelPage.extend({ funnel: Funnel }),
    RetentionPage.extend({ retention: Retention }),
    ExperimentPage.extend({
      experiment: SharedExperiment,
      results: Results,
      timeline: Timeline,
      segments: Segments.optional(),
    }),
  ])
  .meta({ id: "SharedAnswer" });
export type SharedAnswer = z.infer<typeof SharedAnswer>;
