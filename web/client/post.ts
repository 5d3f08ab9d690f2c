const LONGEST_ANSWER = 10_000;

/**
 * A page that is left may have 64 KiB under way. A character is at most three bytes of UTF-8, so that a body of this
 * length fits whatever is in it.
 */
const MAX_LEAVING = 21_000;

/** Leaves room for what stands around the items of a batch. */
export const MAX_LEAVING_ITEMS = 20_000;

// As bad as any 5xx, and told from them by nobody.
const SILENCE = 599;

/** What the server answered. */
export type Reply = readonly [status: number, text: string, retryAfter?: string | null];

/** Sends a body to an endpoint, and never throws. */
export type Post = (path: string, body: string) => Promise<Reply>;

/** The address of an endpoint. The key is in it: a header would cost every page a preflight, and a beacon has none. */
export const addresses =
  (server: string, key?: string) =>
  (path: string): string =>
    new URL(`apiv1/${path}${key ? `?key=${encodeURIComponent(key)}` : ""}`, server).href;

export const createPost =
  (addressOf: (path: string) => string): Post =>
  async (path, body) => {
    try {
      // Text goes as text/plain, which needs no preflight either. With keepalive it arrives though the page is left.
      const response = await fetch(addressOf(path), {
        method: "POST",
        body,
        keepalive: body.length <= MAX_LEAVING,
        signal: AbortSignal.timeout(LONGEST_ANSWER),
      });
      // Until an answer has been read, Chromium counts its request among those under way.
      return [response.status, await response.text(), response.headers.get("retry-after")];
    } catch {
      return [SILENCE, ""];
    }
  };

/** Whether this settles it. With 429, 5xx or silence nothing was stored, as far as anybody knows: send it again. */
export const isAnswer = (status: number): boolean => status !== 429 && status < 500;
