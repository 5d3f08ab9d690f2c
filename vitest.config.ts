import { defineConfig } from "vitest/config";
import { cases } from "./test/random.ts";

const BUILD = "test/end-to-end/global-setup.ts";
const REQUESTS = ["test/handlers/**/*.test.ts", "test/adapters/http/**/*.test.ts"];
// Real connections, which no storage takes part in.
const SOCKETS = "test/adapters/http/socket/**/*.test.ts";
const BROWSER = "test/**/*.browser.test.ts";
const RANDOM = "test/random.ts";
// Tests that start servers or child processes, or simulate thousands of experiments.
// A busy machine takes longer until a condition that they await holds.
const PATIENT = {
  testTimeout: cases(60_000),
  hookTimeout: 60_000,
  expect: { poll: { timeout: 10_000 } },
  setupFiles: [RANDOM],
};

// `npx vitest run --project unit` runs one project; test/README.md says what belongs to which.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "test/*.test.ts",
            "test/domain/**/*.test.ts",
            ...REQUESTS,
            "test/adapters/*.test.ts",
            "test/adapters/rollups/**/*.test.ts",
          ],
          exclude: ["test/domain/**/*.slow.test.ts", SOCKETS],
          testTimeout: cases(5_000),
          setupFiles: [RANDOM],
        },
      },
      {
        test: {
          name: "sqlite",
          include: ["test/adapters/sqlite/**/*.test.ts"],
          globalSetup: [BUILD],
          ...PATIENT,
        },
      },
      { test: { name: "sockets", include: [SOCKETS], ...PATIENT } },
      {
        test: { name: "postgres", include: ["test/adapters/postgres/**/*.test.ts"], ...PATIENT },
      },
      {
        test: {
          name: "requests on postgres",
          include: REQUESTS,
          exclude: [SOCKETS],
          globalSetup: ["test/adapters/postgres/request-server.ts"],
          ...PATIENT,
          setupFiles: [RANDOM, "test/adapters/postgres/request-setup.ts"],
        },
      },
      {
        test: {
          name: "web",
          include: ["test/web/**/*.test.ts"],
          exclude: [BROWSER],
          globalSetup: [BUILD],
          ...PATIENT,
        },
      },
      {
        test: {
          name: "browser",
          include: [BROWSER],
          globalSetup: [BUILD],
          ...PATIENT,
        },
      },
      {
        test: {
          name: "slow",
          include: [
            "test/end-to-end/**/*.test.ts",
            "test/many-processes/**/*.test.ts",
            "test/packages/**/*.test.ts",
            "test/scripts/**/*.test.ts",
            "test/domain/**/*.slow.test.ts",
          ],
          exclude: [BROWSER],
          globalSetup: [BUILD],
          ...PATIENT,
        },
      },
    ],
  },
});
