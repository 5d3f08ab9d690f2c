import type { ExactSum } from "../../../domain/statistics/exact-sum.ts";

// Enough digits for the second double of a pair.
const QUOTIENT_BITS = 64;

/**
 * A decimal of the database, which is exact, as the pair of doubles that results are computed from:
 * "0.3" is { high: 0.3, low: 1.1e-17 }, for the double 0.3 is a little less than three tenths.
 */
export function exactSumOf(decimal: string): ExactSum {
  const high = Number(decimal);
  if (Number.isSafeInteger(high) && !decimal.includes(".")) return { high, low: 0 };
  const [whole = "", fraction = ""] = decimal.split(".");
  const [mantissa, scale] = fractionOf(high);
  const tenths = 10n ** BigInt(fraction.length);
  return { high, low: quotient(BigInt(whole + fraction) * scale - mantissa * tenths, tenths * scale) };
}

/** A double as a fraction of whole numbers. */
function fractionOf(double: number): [bigint, bigint] {
  let mantissa = double;
  let halvings = 0n;
  for (; !Number.isInteger(mantissa); mantissa *= 2) halvings += 1n;
  return [BigInt(mantissa), 2n ** halvings];
}

const bitsOf = (value: bigint): number => value.toString(16).length * 4;

function quotient(dividend: bigint, divisor: bigint): number {
  const bits = Math.max(0, bitsOf(divisor) - bitsOf(dividend) + QUOTIENT_BITS);
  const shifted = Number((dividend << BigInt(bits)) / divisor);
  // In two halves, as 2 ** -1100 alone would be 0.
  return shifted * 2 ** -Math.floor(bits / 2) * 2 ** -Math.ceil(bits / 2);
}

/**
 * A pair of doubles as the decimal that it is exactly, as the database writes it: { high: 0.5, low: 0 } is "0.5". Doubles are
 * binary fractions, so their decimals end.
 */
export function decimalOf({ high, low }: ExactSum): string {
  const [highMantissa, highScale] = fractionOf(high);
  const [lowMantissa, lowScale] = fractionOf(low);
  const scale = highScale > lowScale ? highScale : lowScale;
  const mantissa = highMantissa * (scale / highScale) + lowMantissa * (scale / lowScale);
  const places = scale.toString(2).length - 1;
  const digits = (mantissa < 0n ? -mantissa : mantissa) * 5n ** BigInt(places);
  const text = digits.toString().padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places);
  const fraction = text.slice(text.length - places).replace(/0+$/, "");
  return `${mantissa < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
