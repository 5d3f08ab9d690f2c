import type { LinkOutcome } from "../../domain/people/links.ts";

/** Keeps which ids are one person, as a plain list of the people and their ids. */
export function plainPeople() {
  const people: { readonly user: string; readonly anonymous: Set<string> }[] = [];
  const personOf = (id: string): string => people.find(({ anonymous }) => anonymous.has(id))?.user ?? id;

  function outcomeOf(anonymous_id: string, user_id: string): LinkOutcome["kind"] {
    if (personOf(user_id) !== user_id) return "user_id_is_anonymous";
    if (personOf(anonymous_id) === user_id) return "known";
    if (people.some(({ user }) => user === anonymous_id)) return "anonymous_id_is_user";
    return personOf(anonymous_id) === anonymous_id ? "linked" : "anonymous_id_taken";
  }

  return {
    personOf,
    /** Returns how many ids were linked to the person's own. */
    forget(person: string): number {
      const at = people.findIndex(({ user }) => user === person);
      return at < 0 ? 0 : (people.splice(at, 1)[0]?.anonymous.size ?? 0);
    },
    link(anonymous_id: string, user_id: string): LinkOutcome["kind"] {
      const outcome = outcomeOf(anonymous_id, user_id);
      if (outcome !== "linked") return outcome;
      const known = people.find(({ user }) => user === user_id);
      if (known === undefined) people.push({ user: user_id, anonymous: new Set([anonymous_id]) });
      else known.anonymous.add(anonymous_id);
      return outcome;
    },
  };
}
