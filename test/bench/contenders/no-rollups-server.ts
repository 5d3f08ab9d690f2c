import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { NO_FILES } from "../../../adapters/http/answers/files.ts";
import { createEdge } from "../../../adapters/http/edge.ts";
import { createListener } from "../../../adapters/http/listener.ts";
import { processFigures } from "../../../adapters/process-figures.ts";
import { readSettings } from "../../../adapters/settings.ts";
import { openSqlite } from "../../../adapters/sqlite/storage.ts";
import { PreparedResults } from "../../../domain/experiments/results/prepared-results.ts";
import { Activity } from "../../../handlers/contract/activity/activity.ts";
import { endpoints } from "../../../handlers/contract/endpoints.ts";

// Our server with the same indexes, but rollups that are never built.
const [path = "", key = ""] = process.argv.slice(2);
const storage = openSqlite(path, { buildAt: Number.POSITIVE_INFINITY });
const world = {
  storage,
  prepared: new PreparedResults(),
  now: Date.now,
  newId: randomUUID,
  newSecret: () => randomBytes(32).toString("base64url"),
  version: "bench",
  activity: new Activity(),
  processFigures,
};
const settings = readSettings({ ANALYTICS_ADMIN_KEYS: key });
const log = { shows: () => false, write: () => {} };
const listener = createListener(createEdge({ endpoints, world, settings, files: NO_FILES, log }));
const server = createServer({ noDelay: true }, listener);
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
