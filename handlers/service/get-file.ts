import { Failure } from "../../domain/failure.ts";
import { documentsOf } from "../contract/document.ts";
import { endpoint } from "../contract/endpoint.ts";

/** An endpoint that answers with one of the files that browsers load from here. */
const fileEndpoint = (name: string, path: `/${string}`, file: string, type: string, summary: string) =>
  endpoint({
    name,
    method: "GET",
    path,
    access: "open",
    summary,
    replies: { ok: documentsOf(type) },
    failures: ["not_found"],

    async handle(_request, world) {
      const document = await world.file(file);
      if (document === undefined) {
        throw new Failure("not_found", `This server was built without ${file}: npm run build makes it.`);
      }
      return { outcome: "ok", body: document };
    },
  });

export const getDashboard = fileEndpoint("getDashboard", "/", "dashboard.html", "text/html", "The dashboard");
export const getDashboardScript = fileEndpoint(
  "getDashboardScript",
  "/dashboard.js",
  "dashboard.js",
  "text/javascript",
  "What the dashboard runs",
);
export const getDashboardStyle = fileEndpoint(
  "getDashboardStyle",
  "/dashboard.css",
  "dashboard.css",
  "text/css",
  "What the dashboard looks like",
);
export const getIcon = fileEndpoint(
  "getIcon",
  "/icon.svg",
  "icon.svg",
  "image/svg+xml",
  "The dashboard's icon",
);
export const getClient = fileEndpoint(
  "getClient",
  "/client.js",
  "client.js",
  "text/javascript",
  "The browser client, an ES module",
);
