import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, firefox } from "playwright-core";
import { describe } from "vitest";

interface Program {
  readonly name: string;
  /** The environment variable that can name its path. */
  readonly variable: string;
  readonly usualPlaces: readonly string[];
}

const CHROMIUM: Program = {
  name: "Chromium",
  variable: "CHROMIUM",
  usualPlaces: [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
};

const FIREFOX: Program = {
  name: "Firefox",
  variable: "FIREFOX",
  usualPlaces: [
    "/usr/bin/firefox-esr",
    "/usr/bin/firefox",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
  ],
};

const installed = ({ variable, usualPlaces }: Program): string | undefined =>
  process.env[variable] ?? usualPlaces.find((path) => existsSync(path));

/** Whether tests use a program. In CI, where it has to be installed, they fail without it. */
const isUsed = (program: Program): boolean =>
  installed(program) !== undefined || process.env.CI !== undefined;

function pathOf(program: Program): string {
  const path = installed(program);
  if (path !== undefined) return path;
  throw new Error(`No ${program.name} was found: install it, or set ${program.variable} to its path.`);
}

/** Whether a test can use Chromium. In CI, where there must be one, it fails without one. */
export const hasBrowser = isUsed(CHROMIUM);

/** Tests that need Chromium. Without one they are reported as skipped; in CI, where there must be one, they fail. */
export const describeInBrowser = describe.skipIf(!hasBrowser);

/** The same for tests that need Firefox. Their title says why they are skipped. */
export const describeInFirefox = (title: string, tests: () => void) =>
  isUsed(FIREFOX)
    ? describe(title, tests)
    : describe.skip(`${title} (no Firefox is installed; FIREFOX can name its path)`, tests);

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: pathOf(CHROMIUM),
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

/**
 * Launches a Firefox as its distribution ships it, through WebDriver BiDi: Playwright's own protocol needs a patched one.
 * From version 1.65 on Playwright sends `emulation.setMediaFeaturesOverride`, which the Firefox of Debian does not know.
 */
export const launchFirefox = (): Promise<Browser> =>
  firefox.launch({ channel: "moz-firefox", executablePath: pathOf(FIREFOX) });

/** A visitor with a browser of their own until the test ends: browsers share no storage. */
export async function testVisitor(
  onTestFinished: (act: () => Promise<void>) => void,
  browser: Browser,
): Promise<BrowserContext> {
  const visitor = await browser.newContext();
  onTestFinished(() => visitor.close());
  return visitor;
}
