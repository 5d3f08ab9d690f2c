import type { input } from "zod";
import type { ExperimentInput, ExperimentReply } from "../../../domain/experiments/experiment.ts";
import type { ExperimentChange } from "../../../domain/experiments/lifecycle.ts";
import type { Results } from "../../../domain/experiments/results/results.ts";
import type { Segments } from "../../../domain/experiments/results/segment-results.ts";
import type { Timeline } from "../../../domain/experiments/results/timeline.ts";
import type { Plan, PlanInput } from "../../../domain/experiments/sample-size.ts";
import type { ProfileReply } from "../../../domain/people/profile.ts";
import type { AnnotationInput, AnnotationReply } from "../../../domain/reports/annotation.ts";
import type { Catalogue } from "../../../domain/reports/catalogue.ts";
import type { EventReply } from "../../../domain/reports/event-list.ts";
import type { Funnel, FunnelQuery } from "../../../domain/reports/funnel.ts";
import type { Overview } from "../../../domain/reports/overview.ts";
import type { PropertyValues } from "../../../domain/reports/property-values.ts";
import type { Retention } from "../../../domain/reports/retention.ts";
import type {
  AnsweredQuestion,
  SavedQuestionChange,
  SavedQuestionInput,
  SavedQuestionReply,
} from "../../../domain/reports/saved-question.ts";
import type { Trend } from "../../../domain/reports/trend.ts";
import type { ShareInput, ShareReply } from "../../../domain/shares/share-link.ts";
import type { SharedAnswer } from "../../../domain/shares/shared-page.ts";
import { type Changes, withChanges } from "../address.ts";
import { requestKey } from "./key-request.ts";
import { type Access, keyFor } from "./keys.ts";
import { Problem, problemOf, unreachable } from "./problem.ts";

interface Operation {
  readonly method: string;
  readonly path: string;
  /** `share`: with the secret of a share link instead of a key. */
  readonly access: Access | "share";
}

/** An operation that a key is asked for where one is missing. */
type KeyedOperation = Operation & { readonly access: Access };

/** All requests of the dashboard, by their names in the OpenAPI document. */
export const operations = {
  listExperiments: { method: "GET", path: "/apiv1/ab-tests", access: "read" },
  createExperiment: { method: "POST", path: "/apiv1/ab-tests", access: "admin" },
  getExperiment: { method: "GET", path: "/apiv1/ab-tests/{test_id}", access: "read" },
  updateExperiment: { method: "PATCH", path: "/apiv1/ab-tests/{test_id}", access: "admin" },
  deleteExperiment: { method: "DELETE", path: "/apiv1/ab-tests/{test_id}", access: "admin" },
  getResults: { method: "GET", path: "/apiv1/ab-tests/{test_id}/results", access: "read" },
  getTimeline: { method: "GET", path: "/apiv1/ab-tests/{test_id}/timeline", access: "read" },
  planSampleSize: { method: "POST", path: "/apiv1/sample-size", access: "read" },
  listEvents: { method: "GET", path: "/apiv1/events", access: "read" },
  listEventTypes: { method: "GET", path: "/apiv1/events/types", access: "read" },
  getUser: { method: "GET", path: "/apiv1/users/{user_id}", access: "read" },
  listPropertyValues: { method: "GET", path: "/apiv1/events/values", access: "read" },
  listAnnotations: { method: "GET", path: "/apiv1/annotations", access: "read" },
  createAnnotation: { method: "POST", path: "/apiv1/annotations", access: "admin" },
  deleteAnnotation: { method: "DELETE", path: "/apiv1/annotations/{annotation_id}", access: "admin" },
  listQuestions: { method: "GET", path: "/apiv1/questions", access: "read" },
  saveQuestion: { method: "POST", path: "/apiv1/questions", access: "admin" },
  updateQuestion: { method: "PATCH", path: "/apiv1/questions/{question_id}", access: "admin" },
  deleteQuestion: { method: "DELETE", path: "/apiv1/questions/{question_id}", access: "admin" },
  listShares: { method: "GET", path: "/apiv1/shares", access: "admin" },
  createShare: { method: "POST", path: "/apiv1/shares", access: "admin" },
  deleteShare: { method: "DELETE", path: "/apiv1/shares/{share_id}", access: "admin" },
  getSharedPage: { method: "GET", path: "/apiv1/shared-page", access: "share" },
  getOverview: { method: "GET", path: "/apiv1/overview", access: "read" },
  getTrend: { method: "GET", path: "/apiv1/events/trend", access: "read" },
  computeFunnel: { method: "POST", path: "/apiv1/events/funnel", access: "read" },
  getRetention: { method: "GET", path: "/apiv1/events/retention", access: "read" },
  exportEvents: { method: "GET", path: "/apiv1/events/export", access: "read" },
} satisfies Record<string, Operation>;

interface Question {
  readonly testId?: number;
  readonly userId?: string;
  readonly annotationId?: string;
  readonly questionId?: string;
  readonly shareId?: string;
  readonly query?: Changes;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Does not ask for a key: a background request must not interrupt the user. */
  readonly quiet?: boolean;
}

export function urlOf(
  { path }: Operation,
  { testId, userId = "", annotationId = "", questionId = "", shareId = "", query = {} }: Question,
): string {
  const text = withChanges(new URLSearchParams(), query).toString();
  const place = path
    .replace("{test_id}", String(testId))
    .replace("{user_id}", () => encodeURIComponent(userId))
    .replace("{annotation_id}", () => encodeURIComponent(annotationId))
    .replace("{question_id}", () => encodeURIComponent(questionId))
    .replace("{share_id}", () => encodeURIComponent(shareId));
  return place + (text === "" ? "" : `?${text}`);
}

function send(operation: Operation, question: Question, key: string | undefined): Promise<Response> {
  const { body, signal } = question;
  return fetch(urlOf(operation, question), {
    method: operation.method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    throw signal?.aborted ? error : unreachable();
  });
}

// A 403 without a key comes from a server without keys, where a key does not help.
const wantsKey = (status: number, key: string | undefined): boolean =>
  status === 401 || (status === 403 && key !== undefined);

/** Sends a request until it is answered or finally refused. Asks for a key where one is missing. */
async function respond(operation: KeyedOperation, question: Question): Promise<Response> {
  for (;;) {
    const key = keyFor(operation.access);
    const response = await send(operation, question, key);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (question.quiet || !wantsKey(response.status, key)) throw problem;
    if (!(await requestKey(operation.access, problem.message))) throw problem;
  }
}

const bodyOf = <T>(response: Response): Promise<T> =>
  response.json().catch(() => {
    throw new Problem(response.status, "The response was interrupted. Try again.");
  });

const ask = async <T>(operation: KeyedOperation, question: Question = {}): Promise<T> =>
  bodyOf(await respond(operation, question));

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A test with what its results say in short. */
export interface ListedExperiment extends ExperimentReply {
  readonly outcome: { readonly users: number; readonly verdict: Results["verdict"] };
}

export async function listExperiments(query: Changes, signal?: AbortSignal): Promise<Page<ListedExperiment>> {
  const { tests, next_cursor } = await ask<{ tests: ListedExperiment[]; next_cursor: string | null }>(
    operations.listExperiments,
    { query: { include: "outcome", ...query }, signal },
  );
  return { items: tests, next: next_cursor };
}

export const createExperiment = (body: input<typeof ExperimentInput>): Promise<{ test_id: number }> =>
  ask(operations.createExperiment, { body });

export const getExperiment = (testId: number, signal?: AbortSignal): Promise<ExperimentReply> =>
  ask(operations.getExperiment, { testId, signal });

/** A change of an experiment, as it is sent. */
export type ChangeBody = input<typeof ExperimentChange>;

export const updateExperiment = (testId: number, body: ChangeBody): Promise<ExperimentReply> =>
  ask(operations.updateExperiment, { testId, body });

export async function deleteExperiment(testId: number): Promise<void> {
  await respond(operations.deleteExperiment, { testId });
}

export const getResults = (testId: number, signal?: AbortSignal): Promise<Results> =>
  ask(operations.getResults, { testId, signal });

/** The results with those of each value of a property. */
export const getSegments = (
  testId: number,
  segment: string,
  signal?: AbortSignal,
): Promise<{ segments: Segments }> => ask(operations.getResults, { testId, query: { segment }, signal });

export const getTimeline = (testId: number, signal?: AbortSignal): Promise<Timeline> =>
  ask(operations.getTimeline, { testId, signal });

export const planSampleSize = (body: input<typeof PlanInput>, signal?: AbortSignal): Promise<Plan> =>
  ask(operations.planSampleSize, { body, signal });

export async function listEvents(
  query: Changes,
  { signal, quiet }: Pick<Question, "signal" | "quiet"> = {},
): Promise<Page<EventReply>> {
  const { events, next_cursor } = await ask<{ events: EventReply[]; next_cursor: string | null }>(
    operations.listEvents,
    { query, signal, quiet },
  );
  return { items: events, next: next_cursor };
}

export const listEventTypes = (signal?: AbortSignal): Promise<Catalogue> =>
  ask(operations.listEventTypes, { signal });

export const listPropertyValues = (query: Changes, signal?: AbortSignal): Promise<PropertyValues> =>
  ask(operations.listPropertyValues, { query, signal, quiet: true });

export const listAnnotations = (
  query: Changes,
  signal?: AbortSignal,
): Promise<{ annotations: AnnotationReply[] }> =>
  ask(operations.listAnnotations, { query, signal, quiet: true });

export const createAnnotation = (body: input<typeof AnnotationInput>): Promise<AnnotationReply> =>
  ask(operations.createAnnotation, { body });

export async function deleteAnnotation(annotationId: string): Promise<void> {
  await respond(operations.deleteAnnotation, { annotationId });
}

export const listQuestions = (
  query: Changes,
  signal?: AbortSignal,
): Promise<{ questions: AnsweredQuestion[] }> => ask(operations.listQuestions, { query, signal });

export const saveQuestion = (body: input<typeof SavedQuestionInput>): Promise<SavedQuestionReply> =>
  ask(operations.saveQuestion, { body });

export const updateQuestion = (
  questionId: string,
  body: input<typeof SavedQuestionChange>,
): Promise<SavedQuestionReply> => ask(operations.updateQuestion, { questionId, body });

export async function deleteQuestion(questionId: string): Promise<void> {
  await respond(operations.deleteQuestion, { questionId });
}

export const listShares = (
  query: Changes,
  signal?: AbortSignal,
): Promise<{ shares: ShareReply[]; next_cursor: string | null }> =>
  ask(operations.listShares, { query, signal });

export const createShare = (
  body: input<typeof ShareInput>,
): Promise<ShareReply & { readonly secret: string }> => ask(operations.createShare, { body });

export async function deleteShare(shareId: string): Promise<void> {
  await respond(operations.deleteShare, { shareId });
}

/** The page of a share link. No key is asked for: a link that does not work stays one. */
export async function getSharedPage(secret: string, signal?: AbortSignal): Promise<SharedAnswer> {
  const response = await send(operations.getSharedPage, { signal }, secret);
  if (!response.ok) throw await problemOf(response);
  return bodyOf(response);
}

export const getOverview = (query: Changes, signal?: AbortSignal): Promise<Overview> =>
  ask(operations.getOverview, { query, signal });

export const getTrend = (
  query: Changes,
  { signal, quiet }: Pick<Question, "signal" | "quiet"> = {},
): Promise<Trend> => ask(operations.getTrend, { query, signal, quiet });

export const computeFunnel = (body: input<typeof FunnelQuery>, signal?: AbortSignal): Promise<Funnel> =>
  ask(operations.computeFunnel, { body, signal });

export const getRetention = (query: Changes, signal?: AbortSignal): Promise<Retention> =>
  ask(operations.getRetention, { query, signal });

/** One user under all their ids. */
export const getUser = (userId: string, signal?: AbortSignal): Promise<ProfileReply> =>
  ask(operations.getUser, { userId, signal });

/** The address of a download from a server without keys. */
export const exportUrl = (query: Changes): string => urlOf(operations.exportEvents, { query });

/** One part of a download that needs a key, and the cursor of the next part. */
export async function exportPart(query: Changes): Promise<{ content: Blob; next: string | null }> {
  const response = await respond(operations.exportEvents, { query });
  return { content: await response.blob(), next: response.headers.get("x-next-cursor") };
}
