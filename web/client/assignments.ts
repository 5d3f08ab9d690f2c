import { later } from "./later.ts";
import { type Assignment, isFinal, type Post } from "./post.ts";
import type { Store } from "./store.ts";
import { inTime } from "./timer.ts";

export const VARIANTS = "analytics.assignments.";
const FRESH = 60_000;

type Test = string | number;

/**
 * A user's variants. A user keeps a variant for ever, so that a known one is answered at once, also while the server is
 * away, and refreshed in the background once a minute at most.
 *
 * The question about all experiments enrols in none. A user is enrolled in an experiment when its variant is read.
 */
export function createAssignments(user_id: string, store: Store, post: Post, timeout = 1_000) {
  const key = VARIANTS + user_id;
  let known = store.get<readonly Assignment[]>(key) ?? [];
  const asked: Record<number, Promise<boolean>> = {};

  const named = (test: Test): Assignment | undefined =>
    known.find((one) => [one.test_id, one.test_name].includes(test));

  /** An experiment that the user is enrolled in, or that the server has said will not enrol them. */
  function find(test: Test): Assignment | undefined {
    const one = named(test);
    return one?.assigned_at || one?.reason ? one : undefined;
  }

  /** Asks about one experiment, which enrols the user, or about all; says whether the server answered. */
  async function request(id: number): Promise<boolean> {
    const [answer] = await post(
      id ? `ab-tests/${id}/assign` : "assignments",
      JSON.stringify({ user_id, enrol: id ? undefined : false }),
    );
    const { assignments, test_id } = answer;
    if (assignments) known = assignments;
    // The answer about one experiment has no name: a known name stays.
    if (test_id)
      known = [...known.filter((one) => one.test_id !== test_id), { ...named(test_id), ...answer, test_id }];
    store.set(key, known);
    const answered = !!(assignments || test_id || isFinal(answer));
    later(() => delete asked[id], answered ? FRESH : 0);
    return answered;
  }

  const ask = (id = 0): Promise<boolean> => (asked[id] ??= request(id));

  /** Enrols the user in one experiment, and says whether the server answered. A name has to be looked up first. */
  async function enrol(test: Test): Promise<boolean> {
    if (typeof test === "number") return ask(test);
    const answered = await ask();
    const one = named(test);
    return one && !find(test) ? enrol(one.test_id) : answered;
  }

  return {
    find,
    enrol,

    async assign(test: Test): Promise<string | null> {
      const answer = enrol(test);
      if (!find(test)) await inTime(answer, timeout);
      // Shown although an enrolment may still fail, so that a visitor never sees another variant than before. It is
      // repeated when the variant is read again, or with the next value.
      return named(test)?.variant ?? null;
    },

    async assignments(): Promise<Record<string, string | null>> {
      await inTime(ask(), timeout);
      const all = {};
      for (const { test_name, variant } of known)
        if (test_name)
          Object.defineProperty(all, test_name, {
            enumerable: true,
            get() {
              enrol(test_name);
              return variant;
            },
          });
      return all;
    },
  };
}

export type Assignments = ReturnType<typeof createAssignments>;
