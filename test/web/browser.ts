import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { describe } from "vitest";

const USUAL_PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const executable = process.env.CHROMIUM ?? USUAL_PLACES.find((path) => existsSync(path));

/** Whether a test can use Chromium. In CI, where there must be one, it fails without one. */
export const hasBrowser = executable !== undefined || process.env.CI !== undefined;

/** Tests that need Chromium. Without one they are reported as skipped; in CI, where there must be one, they fail. */
export const describeInBrowser = describe.skipIf(!hasBrowser);

export function launchBrowser(): Promise<Browser> {
  if (executable === undefined) {
    throw new Error("No Chromium was found: install one, or say in CHROMIUM where it is.");
  }
  return chromium.launch({
    executablePath: executable,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A visitor with a browser of their own, until the test is over: what one keeps the next does not see. */
export async function testVisitor(
  onTestFinished: (act: () => Promise<void>) => void,
  browser: Browser,
): Promise<BrowserContext> {
  const visitor = await browser.newContext();
  onTestFinished(() => visitor.close());
  return visitor;
}
