import { randomBytes } from "node:crypto";
import { defineCommand } from "./command.ts";

const KEY_BYTES = 24;

const newKey = (): string => randomBytes(KEY_BYTES).toString("base64url");

export const command = defineCommand({
  name: "keys",
  summary: "prints three random keys as settings of the server",
  usage: "",
  help: `  Append them to the file that sets the server's environment:  analytics-server keys >> analytics.env
  Pages and applications get the write key, the dashboard's readers the read key, nobody else the admin key.`,
  options: {},
  async run() {
    for (const access of ["WRITE", "READ", "ADMIN"]) {
      process.stdout.write(`ANALYTICS_${access}_KEYS=${newKey()}\n`);
    }
  },
});
