import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/end-to-end/global-setup.ts"],
    // What a page shows is waited for, on a busy machine for longer.
    expect: { poll: { timeout: 10_000 } },
    // Servers and child processes are started by some files; none of them shares a port or a file.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
