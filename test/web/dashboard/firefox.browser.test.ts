import { beforeAll, expect, test, vi } from "vitest";
import { describeInFirefox } from "../browser.ts";
import { launchFirefox } from "../launch.ts";
import { barriersUnfolded } from "./barriers.ts";
import {
  changeFunnelByKeyboard,
  leaveDialogByKeyboard,
  openNewExperimentByKeyboard,
} from "./keyboard-stories.ts";
import { fill, fillPageViews, open, openSite, viewsOf } from "./site.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describeInFirefox("the dashboard in Firefox", () => {
  const site = openSite({ launch: launchFirefox });
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
    await fillPageViews(site);
  });

  test("shows every view without an error in the console, and without accessibility barriers", async () => {
    const { page, complaints } = await site.visit();
    const found: string[] = [];
    for (const [name, link] of Object.entries(views)) {
      await open(page, site.url, link);
      found.push(...(await barriersUnfolded(page)).map((barrier) => `${name}: ${barrier}`));
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("opens the form of a new experiment by keyboard alone", async () => {
    await openNewExperimentByKeyboard(await site.visited("#/experiments"));
  });

  test("keeps the focus when a step of a funnel is chosen, changed and removed", async () => {
    await changeFunnelByKeyboard(await site.visited("#/funnel"));
  });

  test("returns the focus to the button that opened a dialog", async () => {
    await leaveDialogByKeyboard(await site.visited(views["a winner"] ?? ""));
  });
});
