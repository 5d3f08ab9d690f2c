import type { Command } from "./command.ts";

type Load = () => Promise<{ command: Command }>;

/** Every command by its name. Loaded when called: most commands need one engine or the other. */
export const COMMANDS: Readonly<Record<string, Load>> = {
  serve: () => import("./serve.ts"),
  demo: () => import("./demo.ts"),
  keys: () => import("./keys.ts"),
  backup: () => import("./backup.ts"),
  restore: () => import("./restore.ts"),
  rebuild: () => import("./rebuild.ts"),
  verify: () => import("./verify.ts"),
  copy: () => import("./copy.ts"),
  import: () => import("./import.ts"),
};
