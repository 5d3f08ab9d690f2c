import { describe } from "vitest";
import { contractOn } from "./contract-on.ts";
import { bundledPostgres, installedPostgres15 } from "./server.ts";

describe("the contract", () => contractOn("PostgreSQL 18", bundledPostgres()));

// PostgreSQL 15 is the oldest supported version. It is tested where it is installed.
const oldest = installedPostgres15();
describe.skipIf(oldest === undefined)("the contract", () => contractOn("PostgreSQL 15", oldest ?? ""));
