// Numbers as people read them.
import type { Metric } from '../scenarios/scenario';
import type { Spread } from '../statistics';

/** Three digits that matter, without an exponent. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (Math.abs(value) >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}

/** The median and how far the rounds lie apart from it, at most. */
export function withSpread({ median, least, greatest }: Spread): string {
  if (least === greatest) return short(median);
  const share = Math.max(greatest - median, median - least) / median;
  return `${short(median)} ±${(share * 100).toFixed(0)}%`;
}

export const ratio = (value: number): string => value.toFixed(2);

/** "1.21 (1.15 to 1.30)"; of a single round there is nothing to lie between. */
export function ratioSpread({ median, least, greatest }: Spread): string {
  if (least === greatest) return ratio(median);
  return `${ratio(median)} (${ratio(least)} to ${ratio(greatest)})`;
}

/** What is wanted of a metric, in words. */
export function wanted({ target, limit, unit }: Metric): string {
  if (limit !== undefined) return `< ${limit} ${unit}`;
  return target === undefined ? '' : ratio(target);
}
