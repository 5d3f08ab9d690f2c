import { z } from "zod";
import { endpoint } from "../../contract/endpoint.ts";
import { ForeignBody, takeActs } from "../intake.ts";
import { actOf } from "./mapping.ts";

const ENDPOINT = "plausibleEvent";

export const takePlausibleEvent = endpoint({
  name: ENDPOINT,
  method: "POST",
  path: "/api/event",
  access: "write",
  summary: "Plausible: one event of a page",
  sharesItsPath: true,
  foreign: {},
  query: z.looseObject({}),
  body: ForeignBody,
  replies: { accepted: z.undefined() },

  async handle(request, world) {
    await takeActs({ endpoint: ENDPOINT, acts: [actOf(request.body, request.visitor())] }, request, world);
    return { outcome: "accepted", body: undefined };
  },
});
