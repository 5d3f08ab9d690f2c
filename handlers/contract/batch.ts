import { z } from "zod";
import { type Checked, Failure, type Fault } from "../../domain/failure.ts";
import { type Instant, Timestamp } from "../../domain/time.ts";
import { faultsOf, invalid, under } from "./faults.ts";
import { wording } from "./wording.ts";

export const MAX_BATCH = 2_000;

/** Stands in a batch for a line of NDJSON that is no JSON, so that it is refused alone, by its number. */
export class BrokenLine {
  readonly fault: Fault;

  constructor(line: number) {
    this.fault = { path: "", message: `line ${line} is not JSON` };
  }
}

interface Batch {
  readonly items: readonly unknown[];
  readonly sent_at?: Instant | undefined;
}

/** What the OpenAPI document shows of a batch in place of the schema that lets every item through, to check it alone. */
export const documentedBatches = new WeakMap<z.ZodType, z.ZodType>();

/** A list, bare or in an envelope that also says when it was sent. Its items are checked one by one, later. */
export function batchOf<const List extends string>(list: List, item: z.ZodType) {
  const shapeOf = (one: z.ZodType) => {
    const items = z.array(one).min(1, "must hold at least one item");
    return [items, z.strictObject({ [list]: items, sent_at: Timestamp.optional() })] as const;
  };
  const error = `must be a list, or {"${list}": [a list], "sent_at"?}`;
  const documented = z.union(shapeOf(item)).meta({ description: `At most ${MAX_BATCH} items.` });
  const schema = z.union(shapeOf(z.unknown()), { error }).transform((body): Batch => {
    if (Array.isArray(body)) return { items: body };
    const enveloped = body as { readonly sent_at?: Instant } & Record<string, readonly unknown[]>;
    return { items: enveloped[list] ?? [], sent_at: enveloped.sent_at };
  });
  documentedBatches.set(schema, documented);
  return schema;
}

/**
 * By how much the sender's clock runs ahead of ours. That a batch was sent before it arrived proves nothing: it may
 * have waited for a retry. That it was sent in our future can only be a wrong clock.
 */
export const skewOf = ({ sent_at }: Batch, now: Instant): number =>
  sent_at === undefined ? 0 : Math.max(0, sent_at - now);

/** How one kind of batch is taken in: each item checked alone, the good ones stored together, each answered. */
interface Intake<Input, Value, Stored, Item> {
  readonly item: z.ZodType<Input>;
  readonly check: (input: Input) => Checked<Value>;
  readonly store: (values: readonly Value[]) => Promise<readonly Stored[]>;
  readonly answer: (stored: Stored) => Answer<Item>;
}

/** What became of one item: its own answer, or its faults. */
export type Answer<Item> =
  | { readonly item: Item; readonly duplicate: boolean }
  | { readonly faults: readonly Fault[] };

/** Takes a batch in. One bad item must not poison the others; a batch without a good one is refused as a whole. */
export async function takeIn<Input, Value, Stored, Item>(
  { items }: Batch,
  intake: Intake<Input, Value, Stored, Item>,
  minimal: boolean,
) {
  if (items.length > MAX_BATCH) {
    throw new Failure(
      "too_large",
      `The batch has ${items.length} items: send at most ${MAX_BATCH} at a time.`,
    );
  }
  const checked = items.map((item) => checkItem(item, intake));
  const stored = await intake.store(checked.flatMap((one) => ("value" in one ? [one.value] : [])));
  const answers = stored.map(intake.answer).values();
  return summarise(
    checked.map((one) => ("faults" in one ? one : next(answers))),
    minimal,
  );
}

function checkItem<Input, Value>(
  item: unknown,
  { item: schema, check }: Pick<Intake<Input, Value, never, never>, "item" | "check">,
): Checked<Value> {
  if (item instanceof BrokenLine) return { faults: [item.fault] };
  const parsed = schema.safeParse(item, { error: wording });
  return parsed.success ? check(parsed.data) : { faults: faultsOf(parsed.error) };
}

function next<Item>(answers: Iterator<Answer<Item>>): Answer<Item> {
  const { value, done } = answers.next();
  if (done) throw new Error("storage answered fewer items than it was given");
  return value;
}

const Rejected = z.strictObject({
  success: z.literal(false),
  index: z.int().optional(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })),
});

/** The answer to a batch whose stored items are each answered with `item`. */
export const batchReply = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    success: z.literal(true),
    accepted: z.int(),
    duplicates: z.int(),
    rejected: z.int(),
    results: z.array(z.union([item, Rejected])),
  });

/** Counts the answers. With `minimal` only the rejected are listed, each with its index. */
function summarise<Item>(answers: readonly Answer<Item>[], minimal: boolean) {
  const refused = answers.flatMap((answer, index) => ("faults" in answer ? [{ index, ...answer }] : []));
  if (refused.length === answers.length) {
    throw invalid(
      "batch",
      refused.flatMap(({ index, faults }) => under(`[${index}]`, faults)),
    );
  }
  const duplicates = answers.filter((answer) => "item" in answer && answer.duplicate).length;
  const results = minimal
    ? refused.map(({ index, faults }) => ({ success: false as const, index, errors: [...faults] }))
    : answers.map((answer) =>
        "item" in answer ? answer.item : { success: false as const, errors: [...answer.faults] },
      );
  const accepted = answers.length - refused.length - duplicates;
  const body = { success: true as const, accepted, duplicates, rejected: refused.length, results };
  return refused.length === 0 ? { outcome: "created" as const, body } : { outcome: "partial" as const, body };
}
