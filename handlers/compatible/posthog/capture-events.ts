import { z } from "zod";
import { endpoint } from "../../contract/endpoint.ts";
import { ForeignBody, MAX_FOREIGN_BYTES, takeActs } from "../intake.ts";
import { intakeOf, keyOf } from "./mapping.ts";

const STORED = { status: z.literal(1).value };

const capture = (name: string, path: `/${string}`) =>
  endpoint({
    name,
    method: "POST",
    path,
    access: "write",
    summary: "PostHog: a batch, a list of events, or one event",
    sharesItsPath: true,
    foreign: { keyOf, isPacked: true },
    query: z.looseObject({}),
    body: ForeignBody,
    maxBytes: MAX_FOREIGN_BYTES,
    replies: { ok: z.strictObject({ status: z.literal(1) }) },

    async handle(request, world) {
      await takeActs(intakeOf(name, request.body, world.now()), request, world);
      return { outcome: "ok", body: STORED };
    },
  });

// Clients of different ages send to different paths.
export const posthogBatch = capture("posthogBatch", "/batch");
export const posthogEvent = capture("posthogEvent", "/e");
export const posthogIngest = capture("posthogIngest", "/i/v0/e");
export const posthogCapture = capture("posthogCapture", "/capture");
