import type { FailureCode } from "../../../domain/failure.ts";
import type { Outcome } from "../../../handlers/contract/endpoint.ts";

// The only place where outcomes and failures become HTTP: the edge answers with these, and the OpenAPI document lists them.

export const OUTCOME_STATUS: Record<Outcome, number> = {
  ok: 200,
  created: 201,
  accepted: 202,
  deleted: 204,
  partial: 207,
  refused: 400,
  unknown: 404,
  unavailable: 503,
};

export const FAILURE_STATUS: Record<FailureCode, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};
