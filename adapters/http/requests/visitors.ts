import { createHmac, randomBytes } from "node:crypto";
import type { Browser } from "../../../domain/events/page.ts";
import type { Instant } from "../../../domain/time.ts";
import { clientAddress, clientNetwork } from "../../addresses.ts";
import type { Settings } from "../../settings.ts";
import type { HttpRequest } from "../message.ts";

const DAY = 86_400_000;
const ID_LENGTH = 32;

/** What the edge knows of a request's sender besides what they say in its body. */
export interface Visitors {
  /** Facts about the browser; undefined where no browser sent the request for a page. */
  browserOf(request: HttpRequest): Promise<Browser | undefined>;
  /**
   * An id for a sender who has none. It is the same for one address and user agent until the end of the day (UTC), and
   * neither can be found from it without the keys of this server.
   */
  idOf(request: HttpRequest): string;
}

/** The keys are the salt, so that all processes of a server give a visitor the same id. */
const saltOf = ({ keys }: Settings): string | Uint8Array =>
  keys === undefined ? randomBytes(32) : JSON.stringify([keys.admin, keys.read, keys.write]);

export function createVisitors(settings: Settings, now: () => Instant): Visitors {
  const salt = saltOf(settings);
  // Loaded with the first page view: most functions of a serverless deployment never see one.
  let reader: Promise<(headers: HttpRequest["headers"]) => Browser | undefined> | undefined;

  return {
    async browserOf({ headers }) {
      reader ??= import("./browser.ts").then(({ createBrowserReader }) => createBrowserReader());
      return (await reader)(headers);
    },

    idOf({ address, headers }) {
      const client = clientNetwork(
        clientAddress(address, headers["x-forwarded-for"], settings.trustedProxies),
      );
      const day = Math.floor(now() / DAY);
      const facts = JSON.stringify([day, client, headers["user-agent"]]);
      return createHmac("sha256", salt).update(facts).digest("hex").slice(0, ID_LENGTH);
    },
  };
}
