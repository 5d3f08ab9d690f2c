import { afterAll, afterEach, inject } from "vitest";
import { engine } from "../../engine.ts";
import { createDatabases } from "./databases.ts";

// Gives the request tests, which are written once for every engine, databases of PostgreSQL.
const databases = createDatabases(inject("postgres"));
engine.open = databases.lend;

afterEach(() => databases.empty());
afterAll(() => databases.close());
