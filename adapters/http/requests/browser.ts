import { getParser } from "bowser";
import { isbot } from "isbot";
import type { Browser } from "../../../domain/events/page.ts";
import { Recent } from "../../../domain/recent.ts";
import type { HttpRequest } from "../message.ts";

type Headers = HttpRequest["headers"];

// Longer ones are made to keep the patterns busy.
const MAX_LENGTH = 512;
const MAX_BROWSERS = 1_000;

const SYSTEMS: Readonly<Record<string, string>> = {
  Windows: "Windows",
  macOS: "macOS",
  Linux: "Linux",
  Android: "Android",
  "Chrome OS": "Chrome OS",
  "Chromium OS": "Chrome OS",
};

const DEVICES = ["desktop", "mobile", "tablet", "tv"] as const;

/** The brands of a header such as `"Chromium";v="142", "Brave";v="142"`. */
const brandsOf = (header: string): { brand: string; version: string }[] =>
  [...header.matchAll(/"([^"]{1,50})";\s*v="([^"]{1,20})"/g)].map(([, brand = "", version = ""]) => ({
    brand,
    version,
  }));

const unquoted = (header: string): string => header.replace(/^"(.*)"$/, "$1");

interface Described {
  readonly agent: string;
  readonly brands: string;
  readonly mobile: string;
  readonly platform: string;
}

function recognise({ agent, brands, mobile, platform }: Described): Browser {
  const { browser, os, platform: shown } = getParser(agent, { brands: brandsOf(brands) }).getResult();
  const system = SYSTEMS[unquoted(platform)] ?? os.name;
  const device = mobile === "?1" ? "mobile" : DEVICES.find((known) => known === shown.type);
  return {
    ...(browser.name ? { browser: browser.name } : {}),
    ...(system ? { os: system } : {}),
    ...(device ? { device } : {}),
    ...(isbot(agent) ? { is_bot: true } : {}),
  };
}

const textOf = (header: string | undefined): string => (header ?? "").slice(0, MAX_LENGTH);

const describedBy = (headers: Headers): Described => ({
  agent: textOf(headers["user-agent"]),
  brands: textOf(headers["sec-ch-ua"]),
  mobile: textOf(headers["sec-ch-ua-mobile"]),
  platform: textOf(headers["sec-ch-ua-platform"]),
});

/** Reads facts about the browser from the headers of a request; the latest ones are remembered. */
export function createBrowserReader(): (headers: Headers) => Browser | undefined {
  const known = new Recent<string, Browser>(MAX_BROWSERS);

  return (headers) => {
    const described = describedBy(headers);
    if (described.agent === "") return undefined;
    const key = JSON.stringify(described);
    const browser = known.get(key) ?? recognise(described);
    known.set(key, browser);
    // Only a page has an origin: any other program sends the views of its visitors, and is no visitor itself.
    const isVisitor = headers.origin !== undefined || (!browser.is_bot && browser.os !== undefined);
    return isVisitor ? browser : undefined;
  };
}
