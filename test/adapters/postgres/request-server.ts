import type { TestProject } from "vitest/node";
import { bundledPostgres, startPostgres } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The address of the PostgreSQL server that request tests run on. */
    readonly postgres: string;
  }
}

/** Starts one server for all files of request tests. They ask nothing about power failures, so it does not sync. */
export default async function setUp({ provide }: TestProject) {
  const server = await startPostgres(bundledPostgres(), { fsync: "off", synchronous_commit: "off" });
  provide("postgres", server.url);
  return () => server.remove();
}
