import { z } from "zod";
import { type Checked, Failure, type Fault } from "../../domain/failure.ts";
import { type Instant, Timestamp } from "../../domain/time.ts";
import type { UsualForm } from "../../domain/usual.ts";
import { FaultList, invalid, MAX_LISTED_FAULTS } from "./faults.ts";
import { wording } from "./wording.ts";

export const MAX_BATCH = 2_000;

/** Takes the place of a line of NDJSON that cannot be read, so that only this item is refused, with its line number. */
export class BrokenLine {
  readonly fault: Fault;

  constructor(line: number, why = "is not JSON") {
    this.fault = { path: "", message: `line ${line} ${why}` };
  }
}

interface Batch {
  readonly items: readonly unknown[];
  /** By its sender's clock. */
  readonly sent_at?: Instant | null | undefined;
}

/** The schemas that the OpenAPI document shows for batches: the real ones accept any item, to check each by itself. */
export const documentedBatches = new WeakMap<z.ZodType, z.ZodType>();

/** The schema of a list of items, bare or in an envelope with its time of sending. Items are checked later, one by one. */
export function batchOf<const List extends string>(list: List, item: z.ZodType) {
  const shapeOf = (one: z.ZodType) => {
    const items = z.array(one).min(1, "must hold at least one item");
    return [items, z.strictObject({ [list]: items, sent_at: Timestamp.nullish() })] as const;
  };
  const error = `must be a list, or {"${list}": [a list], "sent_at"?}`;
  const documented = z.union(shapeOf(item)).meta({ description: `At most ${MAX_BATCH} items.` });
  const schema = z.union(shapeOf(z.unknown()), { error }).transform((body): Batch => {
    if (Array.isArray(body)) return { items: body };
    const enveloped = body as { readonly sent_at?: Instant | null } & Record<string, readonly unknown[]>;
    return { items: enveloped[list] ?? [], sent_at: enveloped.sent_at };
  });
  documentedBatches.set(schema, documented);
  return schema;
}

/** A bare list. */
export const usualBatch: UsualForm<Batch> = (body) =>
  Array.isArray(body) && body.length > 0 ? { items: body } : undefined;

/** How one kind of batch is stored: each item is checked by itself, the valid ones are stored together. */
interface Intake<Input, Value, Stored, Item> {
  readonly item: z.ZodType<Input>;
  /** Tried before the schema. */
  readonly usual?: UsualForm<Input>;
  readonly check: (input: Input) => Checked<Value>;
  readonly store: (values: readonly Value[]) => Promise<readonly Stored[]>;
  readonly answer: (stored: Stored) => Answer<Item>;
  /** Takes note of an item that is refused while others are stored. */
  readonly refuse: (faults: readonly Fault[]) => void;
}

/** The result of one item: its own answer, or its faults. */
export type Answer<Item> =
  | { readonly item: Item; readonly duplicate: boolean }
  | { readonly faults: readonly Fault[] };

export const tooManyItems = (count: number | string): Failure =>
  new Failure("too_large", `The batch has ${count} items: send at most ${MAX_BATCH} at a time.`);

/** Stores the valid items of a batch and answers for each item; refuses a batch that has no valid item. */
export async function takeIn<Input, Value, Stored, Item>(
  { items }: Batch,
  intake: Intake<Input, Value, Stored, Item>,
  minimal: boolean,
) {
  if (items.length > MAX_BATCH) throw tooManyItems(items.length);
  const checked = checkItems(items, intake);
  const stored = await intake.store(checked.flatMap((one) => ("value" in one ? [one.value] : [])));
  const answers = stored.map(intake.answer).values();
  const summed = checked.map((one) => ("faults" in one ? one : next(answers)));
  const summary = summarise(summed, minimal);
  for (const one of summed) if ("faults" in one) intake.refuse(one.faults);
  return summary;
}

/** The faults of one item: those that are listed, and how many more there are. */
interface ItemFaults {
  readonly faults: readonly Fault[];
  readonly more?: number;
}

type ItemCheck<Input, Value> = Pick<Intake<Input, Value, never, never>, "item" | "usual" | "check">;

/** Checks every item. The faults listed are bounded for the whole batch, but each faulty item lists at least one. */
function checkItems<Input, Value>(
  items: readonly unknown[],
  intake: ItemCheck<Input, Value>,
): ({ readonly value: Value } | ItemFaults)[] {
  let room = MAX_LISTED_FAULTS;
  return items.map((item) => {
    const checked = checkItem(item, intake, Math.max(1, room));
    if ("faults" in checked) room -= checked.faults.length;
    return checked;
  });
}

function checkItem<Input, Value>(
  item: unknown,
  { item: schema, usual, check }: ItemCheck<Input, Value>,
  limit: number,
): { readonly value: Value } | ItemFaults {
  if (item instanceof BrokenLine) return { faults: [item.fault] };
  const input = usual?.(item);
  if (input !== undefined) return check(input);
  const parsed = schema.safeParse(item, { error: wording });
  if (parsed.success) return check(parsed.data);
  const list = new FaultList(limit);
  list.addIssues(parsed.error);
  return { faults: list.listed, more: list.more };
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

const shownFaults = ({ faults, more = 0 }: ItemFaults): Fault[] =>
  more === 0 ? [...faults] : [...faults, { path: "", message: `has ${more} more faults` }];

type Summed<Item> = ItemFaults | Extract<Answer<Item>, { item: Item }>;

/** The answer to a batch. With `minimal` it lists only the rejected items, each with its index. */
function summarise<Item>(answers: readonly Summed<Item>[], minimal: boolean) {
  const refused = answers.flatMap((answer, index) => ("faults" in answer ? [{ index, ...answer }] : []));
  if (refused.length === answers.length) {
    const list = new FaultList();
    for (const { index, faults, more } of refused) list.addUnder(`[${index}]`, faults, more);
    throw invalid("batch", list.listed, list.more);
  }
  const duplicates = answers.filter((answer) => "item" in answer && answer.duplicate).length;
  const results = minimal
    ? refused.map((one) => ({ success: false as const, index: one.index, errors: shownFaults(one) }))
    : answers.map((answer) =>
        "item" in answer ? answer.item : { success: false as const, errors: shownFaults(answer) },
      );
  const accepted = answers.length - refused.length - duplicates;
  const body = { success: true as const, accepted, duplicates, rejected: refused.length, results };
  return refused.length === 0 ? { outcome: "created" as const, body } : { outcome: "partial" as const, body };
}
