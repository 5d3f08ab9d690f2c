import type { Instant } from "../time.ts";

// A person may have several ids: the one of their login, and one for each browser that they used before it. A link says
// that an anonymous id and a user id are one person. Events and assignments keep the id that they were stored with;
// questions and results resolve ids through the links.

/** A claim that both ids are one person. The two ids differ. */
export interface NewLink {
  readonly anonymous_id: string;
  readonly user_id: string;
  readonly linked_at: Instant;
}

/** A stored link: `user_id` is an id of the person whose own id is `person_id`. */
export interface Link {
  readonly user_id: string;
  readonly person_id: string;
}

/** How many anonymous ids a person may have: a public key may send any number, and each question reads all of them. */
export const MAX_LINKS = 1_000;

/**
 * What became of a claim. Anonymous ids are linked to user ids, and never the other way round, so that the person of an
 * id is one step away and two claims cannot lead in a circle.
 */
export type LinkOutcome =
  | { readonly kind: "linked" | "known"; readonly linked_at: Instant }
  /** The anonymous id is linked to another user id. */
  | { readonly kind: "anonymous_id_taken" }
  /** The anonymous id is a user id: others are linked to it. */
  | { readonly kind: "anonymous_id_is_user" }
  /** The user id is an anonymous id: it is linked to a user id itself. */
  | { readonly kind: "user_id_is_anonymous" }
  /** The person has MAX_LINKS anonymous ids. */
  | { readonly kind: "too_many_links" };

/** A row of either id, where there is one. The row of a user id that others are linked to names itself as the person. */
export interface KnownLinks {
  readonly anonymous: (Link & { readonly linked_at: Instant }) | undefined;
  readonly user: Link | undefined;
}

/** Decides a claim by the rows that are stored; undefined where it is to be stored. */
export function judgeLink(
  { user_id }: Pick<NewLink, "user_id">,
  { anonymous, user }: KnownLinks,
): LinkOutcome | undefined {
  if (user !== undefined && user.person_id !== user.user_id) return { kind: "user_id_is_anonymous" };
  if (anonymous === undefined) return undefined;
  if (anonymous.person_id === user_id) return { kind: "known", linked_at: anonymous.linked_at };
  const isUser = anonymous.person_id === anonymous.user_id;
  return { kind: isUser ? "anonymous_id_is_user" : "anonymous_id_taken" };
}
