import fc from "fast-check";

/** How many times the usual cases of each random test run: `TEST_CASES=25 npm test`, before a release. */
export const CASES_FACTOR = Number(process.env.TEST_CASES ?? 1);

/** How many cases a random test runs, given how many it usually has. */
export const cases = (usual: number): number => usual * CASES_FACTOR;

// A set-up file of every project. CI takes the seed from the commit, so that a failure repeats with the commit.
const seed = process.env.TEST_SEED;
fc.configureGlobal({ numRuns: cases(100), ...(seed === undefined ? {} : { seed: Number(seed) }) });
