/** The type of the event that a view of a page is, whichever client sends it. */
export const PAGE_VIEW = "page_view";

/** Facts about the program that shows a page, as properties of a page view. */
export interface Browser {
  readonly browser?: string;
  readonly os?: string;
  readonly device?: "desktop" | "mobile" | "tablet" | "tv";
  readonly is_bot?: true;
}

const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/** The absolute form of an address; undefined where it is none. Trackers send addresses with and without their host. */
const addressOf = (address: unknown): URL | undefined =>
  typeof address === "string" && URL.canParse(address, "http://localhost")
    ? new URL(address, "http://localhost")
    : undefined;

/**
 * What the address of a page says as properties: its path and its campaign.
 *
 * @example placeOf("https://shop.example/a?utm_source=mail&q=1") is { path: "/a", utm_source: "mail" }
 */
export function placeOf(address: unknown): { readonly [name: string]: string } {
  const url = addressOf(address);
  if (url === undefined) return {};
  const campaign = CAMPAIGN.map((name) => [name, url.searchParams.get(name)] as const);
  return {
    path: url.pathname,
    ...Object.fromEntries(campaign.filter((entry): entry is [string, string] => !!entry[1])),
  };
}

/** The host of another site's page that a visitor came from; undefined where they came from this site or from none. */
export function referrerOf(referrer: unknown, hostname: unknown): string | undefined {
  if (typeof referrer !== "string" || !URL.canParse(referrer)) return undefined;
  const url = new URL(referrer);
  return url.host === "" || url.hostname === hostname ? undefined : url.host;
}

/** The class of a screen of a width in pixels, as the client in the browser says it. */
export const screenClass = (width: number): string =>
  width < 768 ? "small" : width < 1280 ? "medium" : "large";

/** The class of a screen such as `1920x1080`; undefined where it has another form. */
export function screenOf(size: unknown): string | undefined {
  const [, width] = typeof size === "string" ? (/^(\d{1,5})x\d{1,5}$/.exec(size) ?? []) : [];
  return width === undefined ? undefined : screenClass(Number(width));
}
