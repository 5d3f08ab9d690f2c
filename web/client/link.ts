import { isFinal, type Post } from "./post.ts";
import type { Report } from "./reports.ts";
import type { Store } from "./store.ts";

const LINK_KEY = "analytics.link";

/** The visitor's anonymous id and their user id. */
interface Link {
  readonly anonymous_id: string;
  readonly user_id: string;
}

/** A link, and whether the server has answered for it. */
interface KeptLink extends Link {
  readonly isSent?: boolean;
}

/** Keeps the link of the visitor's ids until the server has it, over any number of pages. */
export function createLink(store: Store, send: Post, report: Report) {
  const isKept = ({ anonymous_id, user_id }: Link): boolean => {
    const kept = store.get<KeptLink>(LINK_KEY);
    return kept?.anonymous_id === anonymous_id && kept.user_id === user_id;
  };

  return {
    /** Notes the link, unless it is known. */
    set(link: Link): void {
      if (!isKept(link)) store.set(LINK_KEY, link);
    },

    /** Removes it, unless the server does not know it yet. */
    forget(): void {
      if (store.get<KeptLink>(LINK_KEY)?.isSent) store.remove(LINK_KEY);
    },

    /** Says whether there is no link that the server does not know yet. A link that it refuses is reported. */
    async deliver(): Promise<boolean> {
      const kept = store.get<KeptLink>(LINK_KEY);
      if (!kept || kept.isSent) return true;
      const { anonymous_id, user_id } = kept;
      const [answer, text, response] = await send("users/alias", JSON.stringify({ anonymous_id, user_id }));
      const isRefused = isFinal(answer);
      if (isRefused) report(text, response?.status);
      const isDone = isRefused || !!answer.success;
      // It may be another one by now, or have been removed.
      if (isDone && isKept(kept)) store.set(LINK_KEY, { anonymous_id, user_id, isSent: true });
      return isDone;
    },
  };
}

export type LinkSender = ReturnType<typeof createLink>;
