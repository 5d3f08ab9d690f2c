import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { programIn, shop } from "./quick-starts.ts";

const run = promisify(execFile);

test("the users of a running experiment are imported by the command of docs/moving-over.md", async () => {
  const { folder, filled, variantOf, expectCounts } = await shop(onTestFinished);
  const page = "docs/moving-over.md";
  const title = "Users of running experiments";
  await writeFile(join(folder, "assignments.jsonl"), await programIn(page, title, "json"));
  const command = filled(await programIn(page, title, "sh"));
  await run("bash", ["-e", "-o", "pipefail", "-c", command], { cwd: folder });
  await expectCounts({ users: 2, signups: 0 });
  expect([await variantOf("ann"), await variantOf("bob")]).toEqual(["blue", "red"]);
});
