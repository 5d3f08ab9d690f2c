import { existsSync } from "node:fs";
import { type Browser, chromium, firefox } from "playwright-core";

export interface Program {
  readonly name: string;
  /** The environment variable that can name its path. */
  readonly variable: string;
  readonly usualPlaces: readonly string[];
}

export const CHROMIUM: Program = {
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

export const FIREFOX: Program = {
  name: "Firefox",
  variable: "FIREFOX",
  usualPlaces: [
    "/usr/bin/firefox-esr",
    "/usr/bin/firefox",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
  ],
};

export const installed = ({ variable, usualPlaces }: Program): string | undefined =>
  process.env[variable] ?? usualPlaces.find((path) => existsSync(path));

function pathOf(program: Program): string {
  const path = installed(program);
  if (path !== undefined) return path;
  throw new Error(`No ${program.name} was found: install it, or set ${program.variable} to its path.`);
}

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
