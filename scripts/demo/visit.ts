import { seesBlue } from "./experiments.ts";
import type { Scene } from "./scene.ts";
import * as shop from "./shop.ts";

// Probabilities, tuned until funnels and reports look like those of a shop.
const LOG_IN = 0.45;
const SEARCH = 0.22;
const FILTER = 0.4;
const WISH = 0.06;
const SHARE = 0.015;
const TAKE = 0.036;
const PUT_BACK = 0.14;
const CHECK_OUT = 0.6;
const COUPON = 0.18;
const PAYMENT_FAULT = 0.07;
const PAY = 0.72;
const SIGN_UP = 0.09;
const SIGN_UP_BLUE = 0.165;
const SIGN_UP_ELSEWHERE = 0.03;
const SUBSCRIBE = 0.02;
const CONTACT = 0.02;
const CONTACT_AFTER_FAULT = 0.35;
const UPGRADE = 0.02;
const REVIEW = 0.12;
const REFUND = 0.025;

const cents = (amount: number): number => Math.round(amount * 100) / 100;

/** Plays a visit from the first page to the last. */
export function playVisit(scene: Scene): void {
  const { person, calendar } = scene;
  const landing = arrive(scene);
  person.visits += 1;
  if (calendar.isOutage(scene.at())) fail(scene);
  else if (person.id === null) glance(scene);
  else lookRound(scene, person.id, landing);
}

function lookRound(scene: Scene, userId: string, landing: string): void {
  const { person, random } = scene;
  const home = landing === "home" || person.visits === 1;
  if (home && landing !== "home") scene.does("page_view", { page: "home" });
  if (person.plan !== "guest" && random.chance(LOG_IN))
    scene.does("login", { method: shop.signupMethod(random) });
  if (person.plan === "guest") considerSigningUp(scene, userId, home);
  else if (person.plan === "free") considerUpgrade(scene);
  if (person.purchases > 0) lookBack(scene);
  const cart = browse(scene);
  if (cart.length > 0) shopFor(scene, cart);
  leave(scene);
}

function arrive(scene: Scene): string {
  const { random, calendar } = scene;
  const page = shop.landingPage(random);
  const isSpring = calendar.isCampaign(scene.at()) && random.chance(0.5);
  const referrer = isSpring ? "newsletter" : shop.referrer(random);
  const utm_campaign = isSpring ? "spring_campaign" : shop.campaignOf(referrer);
  scene.does("page_view", { page, referrer, utm_campaign });
  return page;
}

function fail(scene: Scene): void {
  scene.does("error_shown", { status: 503, page: "category" });
  if (scene.random.chance(0.3)) scene.does("error_shown", { status: 503, page: "home" });
}

function glance(scene: Scene): void {
  const { random } = scene;
  if (random.chance(0.5)) scene.does("page_view", { page: shop.innerPage(random) });
  if (random.chance(0.45)) scene.does("product_view", shop.product(random));
}

function considerSigningUp(scene: Scene, userId: string, home: boolean): void {
  const { person, random, button } = scene;
  const blue = home && seesBlue(button, userId, scene.at());
  const chance = blue ? SIGN_UP_BLUE : home ? SIGN_UP : SIGN_UP_ELSEWHERE;
  if (!random.chance(chance * Math.min(1.6, person.zeal))) return;
  const plan = shop.signupPlan(random);
  scene.does("signup", { signup_plan: plan, method: shop.signupMethod(random) });
  person.plan = plan;
}

function considerUpgrade(scene: Scene): void {
  const { person, random } = scene;
  if (!random.chance(UPGRADE)) return;
  scene.does("plan_upgraded", { from_plan: "free", to_plan: "plus", amount: 4.9 });
  person.plan = "plus";
}

/** Reviews and refunds of an earlier purchase. */
function lookBack(scene: Scene): void {
  const { random } = scene;
  const { product, price } = shop.product(random);
  if (random.chance(REVIEW)) scene.does("review_written", { product, rating: shop.stars(random) });
  if (random.chance(REFUND)) scene.does("refund_requested", { product, amount: price });
}

/** Looks at products and returns the ones put into the cart. */
function browse(scene: Scene): shop.Product[] {
  const { person, random, calendar } = scene;
  const cart: shop.Product[] = [];
  // Filters make more products findable.
  const findable = scene.at() < calendar.release ? 2 : 2.3;
  const found = Math.min(12, Math.round(random.exponential(findable * person.zeal)));
  if (random.chance(SEARCH)) search(scene);
  else if (random.chance(0.75)) scene.does("page_view", { page: shop.innerPage(random) });
  for (let seen = 0; seen < found; seen++) inspect(scene, cart);
  return cart;
}

function search(scene: Scene): void {
  const { random, calendar } = scene;
  const { query, results } = shop.searched(random);
  scene.does("search", { query, results });
  if (scene.at() >= calendar.release && random.chance(FILTER)) {
    scene.does("filter_used", { filter: shop.filterUsed(random), results: Math.ceil(results / 2) });
  }
}

function inspect(scene: Scene, cart: shop.Product[]): void {
  const { person, random } = scene;
  const product = shop.product(random);
  scene.does("product_view", product);
  if (random.chance(WISH)) scene.does("wishlist_add", { product: product.product });
  if (random.chance(SHARE))
    scene.does("share", { product: product.product, target: shop.shareTarget(random) });
  if (!random.chance(TAKE * person.zeal)) return;
  scene.does("add_to_cart", { ...product, quantity: random.chance(0.8) ? 1 : random.whole(4) });
  if (random.chance(PUT_BACK)) scene.does("remove_from_cart", { product: product.product });
  else cart.push(product);
}

function shopFor(scene: Scene, cart: readonly shop.Product[]): void {
  const { person, random } = scene;
  if (!random.chance(CHECK_OUT)) return;
  const value = cart.reduce((sum, { price }) => sum + price, 0);
  const amount = cents(random.logNormal(value, 0.35) + 4.9);
  scene.does("checkout_started", { items: cart.length, amount });
  const coupon = random.chance(COUPON);
  if (coupon) scene.does("coupon_applied", { coupon: "HELLO10", percent: 10 });
  if (random.chance(PAYMENT_FAULT)) faultAtPayment(scene);
  if (!random.chance(PAY)) return;
  const paid = coupon ? cents(amount * 0.9) : amount;
  scene.does("purchase", { amount: paid, items: cart.length, currency: "EUR", coupon });
  person.purchases += 1;
}

function faultAtPayment(scene: Scene): void {
  const { random } = scene;
  scene.does("payment_failed", { reason: shop.paymentFault(random) });
  if (random.chance(CONTACT_AFTER_FAULT))
    scene.does("support_contact", { topic: "payment", channel: "chat" });
}

function leave(scene: Scene): void {
  const { random } = scene;
  if (random.chance(SUBSCRIBE)) scene.does("newsletter_subscribed", { page: "home" });
  if (!random.chance(CONTACT)) return;
  scene.does("support_contact", { topic: shop.supportTopic(random), channel: shop.channel(random) });
}
