import { Failure } from "../../domain/failure.ts";
import { isExpired, secretDigest } from "../../domain/shares/share-link.ts";
import { SharedAnswer } from "../../domain/shares/shared-page.ts";
import { endpoint } from "../contract/endpoint.ts";
import { answerPage } from "./answer-page.ts";

/** The same for every link that does not work, so that it tells nothing about links that did. */
const notValid = (): Failure =>
  new Failure(
    "unauthorized",
    "This share link does not work: it was revoked, it has expired, or a part of it is missing. " +
      "Ask the sender for a new one.",
  );

export const getSharedPage = endpoint({
  name: "getSharedPage",
  method: "GET",
  path: "/apiv1/shared-page",
  access: "share",
  summary: "The page of a share link with its figures: all that its secret gives access to",
  replies: { ok: SharedAnswer },
  failures: ["not_found"],

  async handle({ secret, ...request }, world) {
    const share = await world.storage.findShare(secretDigest(secret ?? ""));
    if (share === undefined || isExpired(share, world.now())) throw notValid();
    return { outcome: "ok", body: await answerPage(share.page, { ...request, secret: undefined }, world) };
  },
});
