// The table that ends a run.
import { title } from '../runners/implementations';
import { inColumns } from './columns';
import { ratioSpread, ratio, wanted, withSpread } from './number-text';
import type { Result, Row, ScenarioResult } from './result';

/** Whether ferronet reaches its goal; empty if there is no goal or no figure. */
export function isMet({ target, limit, peers }: Row, peer = 'ours'): boolean | undefined {
  const figure = peers[peer];
  if (figure && limit !== undefined) return figure.median < limit;
  if (!figure?.ratio || target === undefined) return undefined;
  // As shown, so that a "1.20" never misses 1.20.
  return Number(ratio(figure.ratio.median)) >= target;
}

type Column = (row: Row) => string;

function columns({ peers }: Result): [string, Column][] {
  const names = new Set(peers.map(({ name }) => name));
  const found: [string, Column][] = [];
  for (const peer of peers) {
    const { name, runtime } = peer;
    found.push([title(peer), ({ peers: figures }) => (figures[name] ? withSpread(figures[name]) : '—')]);
    if (runtime === 'node' || runtime === 'floor') continue;
    if (names.has('node')) {
      found.push([
        'to node:net',
        ({ peers: figures }) => (figures[name]?.ratio ? ratioSpread(figures[name].ratio) : '—'),
      ]);
    }
    if (runtime === 'ours') {
      found.push([
        'wanted',
        (row) => `${wanted(row)} ${{ true: '✓', false: '✗', undefined: '' }[String(isMet(row, name))] ?? ''}`.trim(),
      ]);
      if (names.has('floor')) {
        found.push([
          'of floor',
          ({ peers: figures }) => (figures[name]?.floor ? `${(figures[name].floor.median * 100).toFixed(0)}%` : '—'),
        ]);
      }
    }
  }
  return found;
}

/** Less of an offered rate than this was not kept. */
const KEPT = 0.98;

/** Whether a peer had as many round trips as were due; where as many are made as it can, it always has. */
export function keepsRate({ offered, metrics }: ScenarioResult, peer: string): boolean {
  const achieved = metrics.find(({ name }) => name === 'round trips')?.peers[peer];
  return offered === undefined || !achieved || achieved.median >= KEPT * offered;
}

export function remarks(scenario: ScenarioResult): string[] {
  const { skipped, failures, title: what, metrics } = scenario;
  const lines = skipped === undefined ? [] : [`skipped: ${what}: ${skipped}`];
  for (const peer of Object.keys(metrics[0]?.peers ?? {})) {
    if (!keepsRate(scenario, peer)) lines.push(`did not keep the rate: ${what} [${peer}]`);
  }
  return [...lines, ...Object.entries(failures).map(([peer, why]) => `FAILED: ${what}: ${why} [${peer}]`)];
}

export function about({ machine, rounds, seconds, others }: Result): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return (
    `${versions.join(', ')}; ${machine.system}; ${machine.cores} cores, ${machine.processor}, ` +
    `shared with the load generator; ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s` +
    (others === undefined ? '' : `; ${others}% of the processor went to others meanwhile`)
  );
}

export function table(result: Result): string {
  const shown = columns(result);
  const lines = [['scenario', 'unit', ...shown.map(([heading]) => heading)]];
  for (const { title: what, metrics, skipped } of result.scenarios) {
    if (skipped !== undefined) continue;
    for (const row of metrics) {
      if (row.quiet) continue;
      lines.push([`${what}: ${row.name}`, row.unit, ...shown.map(([, text]) => text(row))]);
    }
  }
  return [
    about(result),
    'Median ± the round that is furthest from it. Ratios are taken round by round (median, least to greatest); above 1 is better, also where less is.',
    '',
    ...inColumns(lines, 2),
    '',
    ...result.scenarios.flatMap(remarks),
  ].join('\n');
}
