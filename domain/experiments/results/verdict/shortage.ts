import { type Comparison, FEWEST_USERS, FEWEST_WITH_A_VALUE, shortageOf } from "../comparison.ts";
import { type Case, controlName } from "./case.ts";
import { goOn, planned } from "./progress.ts";
import { quote, sentences, usersInWords } from "./wording.ts";

export function tooEarly(matter: Case, first: Comparison | undefined): string {
  const why = first === undefined ? "there is nothing to compare" : shortage(matter, first);
  return sentences(`Too early to say: ${why}.`, planned(matter) || goOn(matter));
}

/** Why nothing can be concluded from a comparison yet. */
export function shortage(matter: Case, { metric, sample, variant }: Comparison): string {
  const sides = [
    { name: controlName(matter), ...sample.control },
    { name: quote(variant.variant.variant_name), ...sample.variant },
  ];
  const small = sides.find((side) => side.allUsers < FEWEST_USERS);
  if (small !== undefined) {
    return `${small.name} has ${usersInWords(small.allUsers)} so far, and ${FEWEST_USERS} are needed`;
  }
  if (metric.kind === "ratio" && sides.some((side) => side.users === 0)) {
    return `there is nothing to divide ${metric.metric_name} by so far in one of the variants`;
  }
  const apart = sides.find((side) => side.users < FEWEST_USERS);
  if (apart !== undefined) {
    return `${apart.name} has ${usersInWords(apart.users)} so far under weights that gave users to both variants, and ${FEWEST_USERS} are needed`;
  }
  const silent = sides.find((side) => side.notZero < FEWEST_WITH_A_VALUE);
  if (silent !== undefined && shortageOf(metric, sample) !== null) {
    const have = silent.notZero === 1 ? "has" : "have";
    return `${usersInWords(silent.notZero)} of ${silent.name} ${have} any ${metric.metric_name} so far, and ${FEWEST_WITH_A_VALUE} are needed`;
  }
  return "the values do not differ from user to user";
}
