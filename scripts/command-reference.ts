import { COMMANDS } from "./commands/commands.ts";

// Writes docs/commands.md from the help of the commands.

const INTRODUCTION = `# Commands

This page is made from what \`--help\` prints: \`npm run docs\` writes it, and a test compares it. In a clone of the project the
commands are npm's scripts: \`npm run backup -- FILE\` is \`analytics-server backup FILE\`. Settings are environment variables, which
the [README](../README.md#settings) lists. Results are printed to standard output, progress and complaints to standard error; the exit
code is 1 where a command did not do what it was asked for.`;

/** The reference as Markdown. */
export async function commandReference(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => {
      const { command } = await load();
      return `## ${name}\n\n\`\`\`\n${command.help}\n\`\`\``;
    }),
  );
  return `${[INTRODUCTION, ...sections].join("\n\n")}\n`;
}
