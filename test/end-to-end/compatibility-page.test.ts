import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { spawnNode } from "../bench/processes.ts";
import { programIn, shop } from "./quick-starts.ts";
import { endingOf } from "./servers.ts";

/** Runs the first program below a heading of the page, and prints one of its variables. */
async function printed({ folder, filled }: Awaited<ReturnType<typeof shop>>, title: string, end: string) {
  const program = filled(await programIn("docs/compatibility.md", title, "js"));
  const file = join(folder, "program.mjs");
  await writeFile(file, `${program}\n${end}`);
  const { code, stdout, stderr } = await endingOf(spawnNode({ args: [file], cwd: folder }));
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trim();
}

test("the program with our OpenFeature provider shows the variant, and stores the event", async () => {
  const scene = await shop(onTestFinished);
  expect(await printed(scene, "OpenFeature", "console.log(colour);")).toBe(await scene.variantOf("ann"));
  await scene.expectCounts({ users: 1, signups: 0 });
  expect(await scene.events()).toMatchObject([
    { event_type: "purchase", user_id: "ann", properties: { value: 12.5, currency: "CHF" } },
  ]);
});

test("the program of an assistant reads the results of the test", async () => {
  const scene = await shop(onTestFinished);
  const text = await printed(scene, "Assistants", "console.log(content[0].text); process.exit();");
  expect(JSON.parse(text)).toMatchObject({ test_id: 1, test_name: "homepage_button_color" });
});
