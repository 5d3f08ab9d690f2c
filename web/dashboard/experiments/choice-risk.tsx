import { percent, unsignedDifference } from "../parts/format.ts";
import { More, Table } from "../parts/table.tsx";
import type { Arm, Metric } from "./metric-cells.ts";

const loss = (kind: Metric["kind"], value: number | null): string =>
  value === null ? "–" : unsignedDifference(kind, value);

function choiceCells({ variant, metric: { kind, comparison } }: Arm): string[][] {
  if (comparison === null) return [];
  const { chance_better, chance_best, expected_loss, expected_loss_of_control } =
    comparison.if_you_must_choose;
  return [
    [
      variant.variant_name,
      percent(chance_better),
      percent(chance_best),
      loss(kind, expected_loss),
      loss(kind, expected_loss_of_control),
    ],
  ];
}

const CHOICE_COLUMNS = [
  "Variant",
  "Chance to be better than the control",
  "Chance to be the best of all",
  "Expected loss if shipped",
  "Expected loss if the control stays",
];

/** The risk of a choice that cannot wait for a verdict. */
export const IfYouMustChoose = ({ arms, metricName }: { arms: readonly Arm[]; metricName: string }) => (
  <More summary="If you must choose now">
    {() => (
      <>
        <p>
          These figures are <strong>no</strong> verdict: they show the risk of a choice that cannot wait for
          one. They assume that large differences are rare.
        </p>
        <Table
          caption={`${metricName}: the risk of a choice`}
          columns={CHOICE_COLUMNS}
          rows={arms.flatMap(choiceCells)}
          stacks
        />
      </>
    )}
  </More>
);
