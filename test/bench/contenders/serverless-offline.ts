import { mkdir, symlink, writeFile } from "node:fs/promises";
import { awaitOutput, freePort, ROOT, type RunningChild, spawnNode, stopChild } from "../processes.ts";

const service = (httpPort: number, lambdaPort: number): string => `
service: hello
frameworkVersion: "4"
provider: { name: aws, runtime: nodejs22.x, httpApi: { payload: "2.0" } }
plugins: [serverless-offline]
custom:
  serverless-offline: { host: 127.0.0.1, httpPort: ${httpPort}, lambdaPort: ${lambdaPort}, useInProcess: true, noSponsor: true }
functions:
  hello: { handler: hello.answer, events: [{ httpApi: POST /apiv1/events }] }
`;

const HANDLER = `
exports.answer = async () => ({
  statusCode: 201,
  headers: { "content-type": "application/json" },
  body: '{"success":true,"id":1234567,"created_at":"2026-11-22T10:00:00.000Z"}',
});
`;

/** Starts serverless-offline in a separate process, with a handler that returns a constant. */
export async function startServerlessOffline(parent: string): Promise<RunningChild> {
  const folder = `${parent}/serverless-offline`;
  const port = await freePort();
  await mkdir(folder);
  await symlink(`${ROOT}node_modules`, `${folder}/node_modules`);
  await writeFile(`${folder}/serverless.yml`, service(port, await freePort()));
  await writeFile(`${folder}/hello.cjs`, HANDLER);
  const child = spawnNode({
    args: [`${ROOT}node_modules/serverless/bin/serverless.js`, "offline", "start"],
    cwd: folder,
  });
  await awaitOutput(child, /Server ready/);
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => stopChild(child) };
}
