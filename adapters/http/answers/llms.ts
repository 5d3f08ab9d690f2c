import type { Endpoint } from "../../../handlers/contract/endpoint.ts";

/** The product in one sentence. */
export const SUMMARY = "Records what users do, and shows which variant of a feature does better.";

const RULES = `Bodies and answers are JSON in UTF-8, ids are integers, times are ISO 8601 in UTC. A 2xx is on the disk.

- Keys are sent as \`Authorization: Bearer <key>\`. Each endpoint names the access that it needs: write, read or admin, which has all; share is for the secret of a share link.
- Give each event and each tracked value a \`message_id\` of its own, and send it again on 408, 429, 5xx or silence: it is stored once.
- A refusal is \`application/problem+json\` with a \`code\` from a closed set, and \`errors\` lists every fault with its place.
- An A/B test is created with its variants and metrics, assigns each user one variant for good, and has a verdict in one sentence.`;

const lineOf = ({ method, path, access, summary }: Endpoint): string =>
  `- \`${method} ${path.replace("+}", "}")}\` (${access}): ${summary}`;

/** The API on one page, as https://llmstxt.org describes it. */
export const llmsText = (endpoints: readonly Endpoint[]): string =>
  `# Analytics Server

> ${SUMMARY}

${RULES}

## Documentation

- [OpenAPI 3.1](/apiv1/openapi.json): every endpoint with its parameters, bodies, answers and error codes
- [Browser client](/client.js): \`import { createClient } from "/client.js"\`, then \`track\`, \`assign\` and \`trackMetric\`
- [Dashboard](/): experiments with their verdicts, trends, funnels, retention and events

The package has more in its folder docs: clients, events, experiments, statistics, operations and privacy.

## Endpoints

${endpoints.map(lineOf).join("\n")}
`;
