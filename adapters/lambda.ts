import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import type { HttpRequest, HttpResponse } from "./http/message.ts";
import { bodyTooLarge } from "./http/requests/body.ts";
import { openAnalytics } from "./main.ts";

// Lambda limits an answer to 6 MiB, in which the body is a string of JSON. The remainder is for status and headers.
const MAX_ANSWER_BYTES = 6 * 1024 * 1024 - 16 * 1024;

// Opened once for all functions of a process, so that those of serverless-offline share one SQLite writer.
export const analytics = await openAnalytics(process.env, {
  maxAnswerBytes: MAX_ANSWER_BYTES,
  dashboard: "/",
});

const NO_BODY = new Uint8Array();

// Lambda does not tell a function that its caller has disconnected.
const neverGone = new AbortController().signal;

function bodyOf({ body, isBase64Encoded }: APIGatewayProxyEventV2): Uint8Array {
  if (!body) return NO_BODY;
  return Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
}

function requestOf(event: APIGatewayProxyEventV2, context: Context): HttpRequest {
  const { http } = event.requestContext;
  return {
    method: http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    headers: event.headers,
    read: (limit, take) => {
      const body = bodyOf(event);
      take(body.byteLength > limit ? bodyTooLarge(limit) : body);
    },
    inTurn: (work) => work(undefined),
    address: http.sourceIp,
    requestId: context.awsRequestId,
    gone: () => neverGone,
  };
}

async function answer(
  event: APIGatewayProxyEventV2,
  context: Context,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { status, headers, body } = await new Promise<HttpResponse>((resolve) =>
    analytics.edge(requestOf(event, context), resolve),
  );
  if (typeof body === "string") return { statusCode: status, headers, body };
  if (!(body instanceof Uint8Array)) throw new Error("a function cannot answer piece by piece");
  return { statusCode: status, headers, body: Buffer.from(body).toString("base64"), isBase64Encoded: true };
}

// One function for each endpoint, so that each can have its own memory, concurrency and alarms. All are the same code: the
// gateway picks the function by the route, and the edge picks the endpoint by the same route.
export {
  answer as assignEverywhere,
  answer as assignVariant,
  answer as checkExperiment,
  answer as checkHealth,
  answer as createExperiment,
  answer as deleteExperiment,
  answer as describeApi,
  answer as describeBriefly,
  answer as eraseUser,
  answer as listErasures,
  answer as listEvents,
  answer as listEventTypes,
  answer as listPropertyValues,
  answer as getOverview,
  answer as getTrend,
  answer as computeFunnel,
  answer as getRetention,
  answer as exportEvents,
  answer as getUser,
  answer as exportUser,
  answer as createAnnotation,
  answer as listAnnotations,
  answer as deleteAnnotation,
  answer as saveQuestion,
  answer as listQuestions,
  answer as updateQuestion,
  answer as deleteQuestion,
  answer as createShare,
  answer as listShares,
  answer as deleteShare,
  answer as getSharedPage,
  answer as linkUsers,
  answer as explainAssignment,
  answer as ofrepEvaluateFlag,
  answer as ofrepEvaluateFlags,
  answer as posthogBatch,
  answer as posthogEvent,
  answer as posthogIngest,
  answer as posthogCapture,
  answer as posthogFlags,
  answer as posthogDecide,
  answer as cloudEvents,
  answer as umamiSend,
  answer as umamiBatch,
  answer as plausibleEvent,
  answer as mcp,
  answer as growthbookEval,
  answer as segmentCall,
  answer as segmentSettings,
  answer as getExperiment,
  answer as getResults,
  answer as getTimeline,
  answer as importAssignments,
  answer as listExperiments,
  answer as listRefusals,
  answer as planSampleSize,
  answer as showMetrics,
  answer as trackEvent,
  answer as trackEvents,
  answer as trackMetric,
  answer as trackMetrics,
  answer as updateExperiment,
  /** Every other route: the static files, preflights, and refusals of unknown paths in the server's own format. */
  answer as answerOther,
};
