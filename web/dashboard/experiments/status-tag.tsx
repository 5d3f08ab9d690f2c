import type { ExperimentStatus } from "../../../domain/experiments/experiment.ts";

export const StatusTag = ({ status }: { status: ExperimentStatus }) => (
  <span class={`tag tag-${status}`}>{status}</span>
);
