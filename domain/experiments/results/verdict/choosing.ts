import type { Comparison } from "../comparison.ts";
import { type Case, controlName, variantName } from "./case.ts";
import { amountInWords } from "./wording.ts";

/** What is more likely the better choice where one has to be made, whatever the verdict. */
export function ifYouMustChoose(matter: Case, shown: Comparison, all: readonly Comparison[]): string {
  const best = likeliestBest(matter, all);
  if (best !== undefined) {
    return `If you must choose, ${best.name} is the most likely to be the best: ${inHundred(best.chance)}.`;
  }
  const { chance_better, expected_loss, expected_loss_of_control } = shown.reply.if_you_must_choose;
  if (chance_better === null || expected_loss === null || expected_loss_of_control === null) return "";
  const variant = chance_better >= 0.5;
  const chance = inHundred(variant ? chance_better : 1 - chance_better);
  const loss = amountInWords(shown.metric, variant ? expected_loss : expected_loss_of_control);
  const name = variant ? variantName(shown) : controlName(matter);
  return `If you must choose, ${name} is more likely to be the better one: ${chance}, with an expected loss of ${loss}.`;
}

/** Never a certainty. */
const inHundred = (chance: number): string => `${Math.min(99, Math.round(100 * chance))} in 100`;

/** Of several variants and the control; undefined where their chances to be the best are not known. */
function likeliestBest(matter: Case, all: readonly Comparison[]) {
  const variants = all.flatMap((one) => {
    const chance = one.reply.if_you_must_choose.chance_best;
    return chance === null ? [] : [{ name: variantName(one), chance }];
  });
  if (variants.length === 0) return undefined;
  const control = 1 - variants.reduce((sum, { chance }) => sum + chance, 0);
  return [{ name: controlName(matter), chance: control }, ...variants].sort((a, b) => b.chance - a.chance)[0];
}
