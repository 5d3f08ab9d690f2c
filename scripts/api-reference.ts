// Writes docs/api.md from the OpenAPI document, which is computed from the schemas that the endpoints parse with.

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema | boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly examples?: readonly unknown[];
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<
    Record<string, Content & { readonly $ref?: string; readonly description?: string }>
  >;
}

/** The part of an OpenAPI 3.1 document that the reference shows. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, { readonly description: string }>>;
  };
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

const code = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

const isSafe = (bound: number | undefined): bound is number =>
  bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;

/** "1 to 200", "at least 1", "at most 200", or nothing. */
function range(least: number | undefined, most: number | undefined, unit = ""): string[] {
  const [from, to] = [isSafe(least) ? least : undefined, isSafe(most) ? most : undefined];
  if (from !== undefined && to !== undefined) return [`${from} to ${to}${unit}`];
  if (from !== undefined) return [`at least ${from}${unit}`];
  return to === undefined ? [] : [`at most ${to}${unit}`];
}

function boundsOf(schema: Schema): string[] {
  return [
    ...range(schema.minLength, schema.maxLength, " characters"),
    ...range(schema.minItems, schema.maxItems, " items"),
    ...range(schema.minimum, schema.maximum),
    ...(schema.exclusiveMinimum === undefined ? [] : [`above ${schema.exclusiveMinimum}`]),
    ...(schema.exclusiveMaximum === undefined ? [] : [`below ${schema.exclusiveMaximum}`]),
    ...alternativesOf(schema).flatMap(boundsOf),
  ];
}

const alternativesOf = ({ anyOf, oneOf }: Schema): readonly Schema[] => anyOf ?? oneOf ?? [];

/** The type in words: "string", "list of EventInput", "number or null". */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return `[${nameOf(schema.$ref)}](#${nameOf(schema.$ref).toLowerCase()})`;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(" or ");
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeOf))].join(" or ");
  if (schema.type === "array")
    return typeof schema.items === "object" ? `list of ${typeOf(schema.items)}` : "list";
  if (schema.format === "date-time") return "time";
  if (typeof schema.type === "string") return schema.type;
  return schema.type === undefined ? "any JSON" : schema.type.join(" or ");
}

/** The schema whose fields are shown below a field: its own, those of its items, or of its only alternative with fields. */
function fieldsOf(schema: Schema): Schema | undefined {
  if (schema.properties !== undefined) return schema;
  if (typeof schema.items === "object") return fieldsOf(schema.items);
  if (typeof schema.additionalProperties === "object") return fieldsOf(schema.additionalProperties);
  const withFields = alternativesOf(schema)
    .map(fieldsOf)
    .filter((one) => one !== undefined);
  return withFields.length === 1 ? withFields[0] : undefined;
}

const described = (text: string | undefined): string =>
  text === undefined ? "" : ` ${text.replaceAll("\n", " ")}`;

function detailsOf(schema: Schema, isRequired: boolean): string {
  const standard = schema.default === undefined ? [] : [`default ${code(schema.default)}`];
  return [typeOf(schema), ...boundsOf(schema), ...(isRequired ? ["required"] : []), ...standard].join(", ");
}

/** A list item for each field, with the fields of nested objects below it. */
function fieldLines(schema: Schema, depth = 0): string[] {
  const shown = fieldsOf(schema);
  return Object.entries(shown?.properties ?? {}).flatMap(([name, field]) => {
    const isRequired = shown?.required?.includes(name) ?? false;
    const line = `${"  ".repeat(depth)}- ${code(name)}: ${detailsOf(field, isRequired)}.${described(field.description)}`;
    return [line, ...fieldLines(field, depth + 1)];
  });
}

function contentLines(heading: string, { content = {} }: Content): string[] {
  return Object.entries(content).flatMap(([type, { schema }]) => {
    const kind = schema.$ref === undefined && fieldsOf(schema) !== undefined ? "" : `: ${typeOf(schema)}`;
    return ["", `${heading}, as ${code(type)}${kind}`, ...pad(fieldLines(schema))];
  });
}

const pad = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : ["", ...lines]);

function parameterLines(parameters: readonly Parameter[]): string[] {
  if (parameters.length === 0) return [];
  const lines = parameters.map(
    ({ name, in: place, required, schema }) =>
      `- ${code(name)} (${place}): ${detailsOf(schema, required)}.${described(schema.description)}`,
  );
  return ["", "Parameters", "", ...lines];
}

function failureLine(responses: Operation["responses"]): string[] {
  const failures = Object.entries(responses).flatMap(([status, { $ref }]) =>
    $ref === undefined ? [] : [`${status} ${code(nameOf($ref))}`],
  );
  return failures.length === 0 ? [] : ["", `Refusals and failures: ${failures.join(", ")}`];
}

function operationLines(method: string, path: string, operation: Operation): string[] {
  const [access] = Object.keys(operation.security?.[0] ?? {});
  const answers = Object.entries(operation.responses).filter(([, { $ref }]) => $ref === undefined);
  return [
    "",
    `### ${method.toUpperCase()} ${path}`,
    "",
    `${operation.summary}. Access: ${access ?? "open"}.${described(operation.description)}`,
    ...parameterLines(operation.parameters),
    ...contentLines("Body", operation.requestBody ?? {}),
    ...answers.flatMap(([status, answer]) =>
      answer.content === undefined
        ? ["", `Answer ${status}, without a body`]
        : contentLines(`Answer ${status}`, answer),
    ),
    ...failureLine(operation.responses),
  ];
}

function schemaLines(name: string, schema: Schema): string[] {
  const fields = fieldLines(schema);
  const intro = [schema.description, fields.length === 0 ? `${detailsOf(schema, false)}.` : undefined];
  const examples = (schema.examples ?? []).flatMap((example) => [
    "",
    "```json",
    JSON.stringify(example, null, 2),
    "```",
  ]);
  return [
    "",
    `### ${name}`,
    ...intro.filter((text) => text !== undefined).flatMap((text) => ["", text]),
    ...pad(fields),
    ...examples,
  ];
}

/** The status of each refusal, as the endpoints answer it. */
function refusalStatuses(paths: ApiDocument["paths"]): ReadonlyMap<string, string> {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  return new Map(
    operations.flatMap(({ responses }) =>
      Object.entries(responses).map(([status, { $ref = "" }]) => [nameOf($ref), status] as const),
    ),
  );
}

function refusalLines({ paths, components }: ApiDocument): string[] {
  const statuses = refusalStatuses(paths);
  return [
    "",
    "## Error codes",
    "",
    "| Status | `code` | When, and what to do |",
    "|---|---|---|",
    ...Object.entries(components.responses).map(
      ([name, { description }]) => `| ${statuses.get(name)} | ${code(name)} | ${description} |`,
    ),
  ];
}

const INTRODUCTION = `# API reference

This page is made from \`GET /apiv1/openapi.json\`, which is computed from the schemas that the endpoints parse with:
\`npm run docs\` writes it, and a test compares it. The [README](../README.md#endpoints) lists the endpoints in a table,
[events.md](events.md) and [experiments.md](experiments.md) explain what they mean.

Times are ISO 8601 in UTC. An unknown field of a body is refused by its name. Every refusal is \`application/problem+json\` with the
fields of [Problem](#problem); its \`code\` says [which kind](#error-codes) it is.

## Endpoints`;

/** The reference as Markdown. */
export function apiReference(document: ApiDocument): string {
  const { paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => operationLines(method, path, operation)),
  );
  const schemas = Object.entries(components.schemas).flatMap(([name, schema]) => schemaLines(name, schema));
  return `${[INTRODUCTION, ...operations, ...refusalLines(document), "", "## Schemas", ...schemas].join("\n")}\n`;
}
