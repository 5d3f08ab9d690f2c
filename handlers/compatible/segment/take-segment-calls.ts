import { z } from "zod";
import { Failure } from "../../../domain/failure.ts";
import { endpoint } from "../../contract/endpoint.ts";
import { ForeignBody, fieldsOf, type Intake, MAX_FOREIGN_BYTES, takeActs } from "../intake.ts";
import { actOf, CALLS } from "./mapping.ts";

const ENDPOINT = "segmentCall";

/** The items of a call or a batch; undefined where the path names no call. */
function intakeOf(name: string, body: unknown): Intake | undefined {
  const { batch, sentAt } = fieldsOf(body);
  if (name === "batch" || name === "b") {
    const items = Array.isArray(batch) ? batch : [body];
    return { endpoint: ENDPOINT, acts: items.map((item) => actOf(item)), sentAt };
  }
  const call = CALLS.get(name);
  return call && { endpoint: ENDPOINT, acts: [actOf(body, call)], sentAt };
}

export const takeSegmentCalls = endpoint({
  name: ENDPOINT,
  method: "POST",
  path: "/v1/{call}",
  access: "write",
  summary: "Segment: track, page, screen, identify, group, alias, or a batch of them",
  sharesItsPath: true,
  foreign: {
    keyOf: (body) => {
      const { writeKey } = fieldsOf(body);
      return typeof writeKey === "string" ? writeKey : undefined;
    },
  },
  params: z.strictObject({ call: z.string() }),
  query: z.looseObject({}),
  body: ForeignBody,
  maxBytes: MAX_FOREIGN_BYTES,
  replies: { ok: z.strictObject({ success: z.literal(true) }) },
  failures: ["not_found"],

  async handle(request, world) {
    const intake = intakeOf(request.params.call, request.body);
    if (intake === undefined) throw new Failure("not_found", "Segment has no such call.");
    await takeActs(intake, request, world);
    return { outcome: "ok", body: { success: true as const } };
  },
});
