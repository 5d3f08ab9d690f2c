import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { EmptyNotice, Request } from "../parts/notices.tsx";

/** The first metric that is tracked through the experiment; metrics computed from events need no tracking. */
const trackedName = ({ metrics }: Pick<ExperimentReply, "metrics">): string | undefined =>
  metrics.length === 0 ? "signup" : metrics.find(({ event_type }) => event_type === undefined)?.metric_name;

/** Shows how to send users and values to an experiment without data. */
export function FirstSteps({ test }: { test: Pick<ExperimentReply, "id" | "status" | "metrics"> }) {
  if (test.status !== "draft" && test.status !== "running") return null;
  const path = `/apiv1/ab-tests/${test.id}`;
  const tracked = trackedName(test);
  return (
    <EmptyNotice title="No data yet">
      {test.status === "draft" && <p>A draft takes no users: start the experiment first.</p>}
      <p>Request a user’s variant where you show it:</p>
      <Request path={`${path}/assign`} body={{ user_id: "user123" }} />
      {tracked === undefined ? (
        <p>Then send events as usual: the metrics are computed from them.</p>
      ) : (
        <>
          <p>Then track what the user does:</p>
          <Request path={`${path}/track`} body={{ user_id: "user123", metric_name: tracked }} />
        </>
      )}
    </EmptyNotice>
  );
}
