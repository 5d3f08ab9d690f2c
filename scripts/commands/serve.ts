import { defineCommand } from "./command.ts";

const VARIABLES = {
  database: "ANALYTICS_DATABASE",
  host: "ANALYTICS_HOST",
  port: "ANALYTICS_PORT",
} as const;

export const command = defineCommand({
  name: "serve",
  summary: "starts the server and its dashboard",
  usage: "[options]",
  help: `  --port <number>       the port (ANALYTICS_PORT, else 20000)
  --host <address>      the address to listen on (ANALYTICS_HOST, else 127.0.0.1)
  --database <name>     a file, or postgres://user:password@host/name (ANALYTICS_DATABASE, else data/analytics.db)

  Environment variables set everything else; the README lists them.`,
  options: { database: { type: "string" }, host: { type: "string" }, port: { type: "string" } },
  async run({ values }) {
    for (const name of ["database", "host", "port"] as const) {
      const value = values[name];
      if (value !== undefined) process.env[VARIABLES[name]] = value;
    }
    await import("../../adapters/serve.ts");
  },
});
