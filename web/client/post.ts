const LONGEST_ANSWER = 10_000;

/**
 * Browsers let a page that is being closed keep 64 KiB in flight. UTF-8 needs at most three bytes for a UTF-16 unit, so
 * a body of this length always fits.
 */
const MAX_LEAVING = 21_000;

/** As above, less the envelope of a batch, and 13 characters an item: on the wire its time is longer. */
export const MAX_LEAVING_ITEMS = 18_000;

// The refusals that no waiting fixes, of those that this client can meet: conflict, invalid, unauthorized, forbidden,
// not_found and too_large, cut to save bytes. method_not_allowed is not one of them: the client only posts, so a redirect has turned its
// request into a GET.
const FINAL = /^(c|f|inv|n|to|unau)/;

/** An experiment as the server describes it to one user. */
export interface Assignment {
  readonly test_id: number;
  readonly test_name?: string;
  readonly variant?: string | null;
  /** When the user was enrolled. */
  readonly assigned_at?: string;
  /** Why the user is not enrolled. */
  readonly reason?: string;
}

/** The fields used of the server's answers. */
export interface Answer extends Partial<Assignment> {
  readonly type?: string;
  readonly success?: boolean;
  readonly rejected?: number;
  readonly code?: string;
  readonly assignments?: readonly Assignment[];
}

/** The server's answer, which is empty where anything else answered; then its text and the response. */
export type Reply<A = Answer> = readonly [answer: Partial<A>, text: string, response?: Response];

/** Sends a body to an endpoint, and never throws. */
export type Post<A = Answer> = (path: string, body: string) => Promise<Reply<A>>;

export type AddressOf = (path: string) => string;

/**
 * The addresses of endpoints, or undefined where `url` or `key` make none. The key is part of the address: a header would
 * cost every page a preflight, and beacons have none.
 */
export function addresses(url: string | undefined, key: string | undefined): AddressOf | undefined {
  try {
    const base = new URL("apiv1/", url).href;
    const query = key ? `?key=${encodeURIComponent(key)}` : "";
    if (base.startsWith("http")) return (path) => base + path + query;
  } catch {}
  return;
}

export const createPost =
  <A = Answer>(addressOf: AddressOf): Post<A> =>
  async (path, body) => {
    let answer: Partial<A> = {};
    let text = "";
    let response: Response | undefined;
    try {
      // A string goes as text/plain, which needs no preflight. With keepalive the request outlives its page.
      response = await fetch(addressOf(path), {
        method: "POST",
        body,
        keepalive: body.length <= MAX_LEAVING,
        signal: AbortSignal.timeout(LONGEST_ANSWER),
      });
      // Chromium counts a request as in flight until its answer has been read.
      text = await response.text();
      answer = JSON.parse(text) ?? answer;
    } catch {}
    return [answer, text, response];
  };

/** Whether the server itself refused for good. */
export const isFinal = ({ type, code }: Answer): boolean => !!type && FINAL.test(`${code}`);
