import { isAnswer, type Post } from "./post.ts";
import type { Store } from "./store.ts";
import { later } from "./timer.ts";

const PREFIX = "analytics.assignments.";
const FRESH = 60_000;
const EVERYWHERE = "assignments";

type Test = string | number;

interface Assignment {
  readonly test_id: number;
  readonly test_name?: string | undefined;
  readonly variant: string | null;
  readonly assigned_at?: string;
}

/**
 * A user's variants. A variant is for ever, so one that is known is answered at once, also where the server is away,
 * and asked for again behind the answer's back, once a minute at most.
 */
export function createAssignments(user_id: string, store: Store, post: Post, timeout = 1_000) {
  const key = PREFIX + user_id;
  let known = store.get<readonly Assignment[]>(key) ?? [];
  const asked: Record<string, Promise<boolean>> = {};

  const find = (test: Test): Assignment | undefined =>
    known.find((one) => one.test_id === test || one.test_name === test);

  /** Learns what the server knows, and says whether it answered. */
  async function request(path: string): Promise<boolean> {
    const [status, text] = await post(path, JSON.stringify({ user_id }));
    if (status < 300) {
      const body = JSON.parse(text);
      // Only the answer about all tests has them in a list.
      known = body.assignments ?? merged(body);
      store.set(key, known);
    }
    return isAnswer(status);
  }

  /** The answer about one test does not say what it is called: its name, where it is known, stays. */
  function merged(answer: Assignment): readonly Assignment[] {
    const old = find(answer.test_id);
    return [...known.filter((one) => one !== old), { ...old, ...answer }];
  }

  function ask(path: string): Promise<boolean> {
    asked[path] ??= request(path)
      .catch(() => false)
      .then((answered) => {
        later(() => delete asked[path], answered ? FRESH : 0);
        return answered;
      });
    return asked[path];
  }

  const learn = (test: Test): Promise<boolean> =>
    ask(typeof test === "number" ? `ab-tests/${test}/assign` : EVERYWHERE);

  const inTime = (answer: Promise<boolean>) =>
    Promise.race([answer, new Promise<void>((resolve) => later(resolve, timeout))]);

  return {
    find,
    learn,

    async assign(test: Test): Promise<string | null> {
      const answer = learn(test);
      if (!find(test)) await inTime(answer);
      return find(test)?.variant ?? null;
    },

    async assignments(): Promise<Record<string, string | null>> {
      await inTime(ask(EVERYWHERE));
      return Object.fromEntries(
        known.filter((one) => one.test_name).map(({ test_name, variant }) => [test_name, variant]),
      );
    },
  };
}

export type Assignments = ReturnType<typeof createAssignments>;
