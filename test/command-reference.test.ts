import { expect, test } from "vitest";
import { commandReference } from "../scripts/command-reference.ts";
import { COMMANDS } from "../scripts/commands/commands.ts";

test("docs/commands.md has the help of every command (`npm run docs` writes it)", async () => {
  await expect(await commandReference()).toMatchFileSnapshot("../docs/commands.md");
});

test.each(Object.keys(COMMANDS))("the help of %s has every option that the command takes", async (name) => {
  const { command } = (await COMMANDS[name]?.()) ?? {};
  const inHelp = [...(command?.help ?? "").matchAll(/^ {2}--([\w-]+)/gm)].map(([, option]) => option);
  const inUsage = [...(command?.usage ?? "").matchAll(/--([\w-]+)/g)].map(([, option]) => option);
  const documented = new Set([...inHelp, ...inUsage]);
  expect([...documented].sort()).toEqual([...(command?.options ?? [])].sort());
});
