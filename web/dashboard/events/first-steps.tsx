import type { ExperimentReply } from "../../../domain/experiments/experiment.ts";
import { EmptyNotice, Request } from "../parts/notices.tsx";

/** What is tracked for the test itself: metrics that are made of events come by themselves. */
const trackedName = ({ metrics }: ExperimentReply): string | undefined =>
  metrics.length === 0 ? "signup" : metrics.find(({ event_type }) => event_type === undefined)?.metric_name;

/** How users and values come into a test that has none, while it can have any. */
export function FirstSteps({ test }: { test: ExperimentReply }) {
  if (test.status !== "draft" && test.status !== "running") return null;
  const path = `/apiv1/ab-tests/${test.id}`;
  const tracked = trackedName(test);
  return (
    <EmptyNotice title="Nothing has arrived yet">
      {test.status === "draft" && <p>A draft takes no users: start the test first.</p>}
      <p>Ask for a user’s variant where you show it:</p>
      <Request path={`${path}/assign`} body={{ user_id: "user123" }} />
      {tracked === undefined ? (
        <p>Then send events as you do: the metrics are made of them.</p>
      ) : (
        <>
          <p>Then track what the user does:</p>
          <Request path={`${path}/track`} body={{ user_id: "user123", metric_name: tracked }} />
        </>
      )}
    </EmptyNotice>
  );
}
