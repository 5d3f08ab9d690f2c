import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/end-to-end/global-setup.ts"],
    // Servers and child processes are started by some files; none of them shares a port or a file.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
