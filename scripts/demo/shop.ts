import { choiceOf, oneOf, type Random } from "./random.ts";

export interface Product {
  readonly product: string;
  readonly category: string;
  /** In euros. */
  readonly price: number;
}

const RANGE: readonly (readonly [category: string, weight: number, ...products: [string, number][]])[] = [
  [
    "houseplants",
    38,
    ["monstera", 29.9],
    ["pothos", 12.5],
    ["fern", 14.9],
    ["snake_plant", 18.9],
    ["orchid", 24.5],
  ],
  ["herbs", 22, ["basil", 3.9], ["mint", 3.9], ["rosemary", 5.5], ["thyme", 4.5]],
  ["pots", 18, ["terracotta_s", 6.9], ["terracotta_l", 16.9], ["glazed_blue", 27], ["hanging_pot", 19.5]],
  ["tools", 12, ["watering_can", 22.9], ["pruner", 34.9], ["gloves", 9.9], ["mister", 11.5]],
  ["trees", 10, ["olive_tree", 89], ["lemon_tree", 74.5], ["fig_tree", 59.9]],
];

export const product = choiceOf<Product>(
  RANGE.flatMap(([category, weight, ...products]) =>
    products.map(([name, price]) => [{ product: name, category, price }, weight / products.length] as const),
  ),
);

export const landingPage = choiceOf([
  ["home", 52],
  ["category", 22],
  ["guide", 16],
  ["plans", 10],
]);

export const innerPage = choiceOf([
  ["category", 54],
  ["home", 18],
  ["guide", 16],
  ["plans", 7],
  ["about", 5],
]);

export const referrer = choiceOf([
  ["direct", 32],
  ["google", 38],
  ["instagram", 14],
  ["newsletter", 9],
  ["partner_blog", 7],
]);

/** The campaign in the links of a referrer; undefined where the shop does not place them. */
export function campaignOf(referrer: string): string | undefined {
  if (referrer === "newsletter") return "weekly_news";
  if (referrer === "instagram") return "plant_of_the_week";
  return referrer === "partner_blog" ? "partner_review" : undefined;
}

const WORDS = oneOf([
  "monstera",
  "easy plants",
  "pots",
  "basil",
  "pet safe",
  "olive tree",
  "gift",
  "shade",
  "watering",
]);

/** A search and its number of results. */
export const searched = (random: Random) => ({
  query: WORDS(random),
  results: Math.floor(random.exponential(14)),
});

export const filterUsed = choiceOf([
  ["price", 40],
  ["light", 32],
  ["pet_safe", 18],
  ["size", 10],
]);

export const signupMethod = choiceOf([
  ["email", 58],
  ["google", 30],
  ["apple", 12],
]);

export const signupPlan = choiceOf<"free" | "plus" | "family">([
  ["free", 76],
  ["plus", 18],
  ["family", 6],
]);

export const supportTopic = choiceOf([
  ["delivery", 44],
  ["payment", 24],
  ["plant_care", 20],
  ["account", 12],
]);

export const channel = oneOf(["chat", "email", "phone"]);
export const shareTarget = oneOf(["whatsapp", "pinterest", "link"]);
export const paymentFault = oneOf(["card_declined", "timeout", "insufficient_funds"]);
export const stars = choiceOf([
  [5, 52],
  [4, 26],
  [3, 11],
  [2, 5],
  [1, 6],
]);
