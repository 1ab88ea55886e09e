// Several Nodes in one table: how ferronet compares to `node:net` on each.
import { title } from '../runners/implementations';
import { inColumns } from './columns';
import { ratioSpread, withSpread } from './number-text';
import type { Result } from './result';

export function nodesTable(results: readonly Result[]): string {
  const [first] = results as [Result];
  const lines = [['scenario', ...results.map(({ machine }) => `Node ${machine.versions['node']}`)]];
  const ours = first.peers.filter(({ runtime }) => runtime === 'ours');
  first.scenarios.forEach(({ title: what, metrics }, scenario) => {
    metrics.forEach(({ name, unit, quiet }, metric) => {
      if (quiet) return;
      for (const peer of ours) {
        const cells = results.map(({ scenarios }) => {
          const figure = scenarios[scenario]?.metrics[metric]?.peers[peer.name];
          if (!figure) return '—';
          return figure.ratio ? ratioSpread(figure.ratio) : `${withSpread(figure)} ${unit}`;
        });
        lines.push([`${what}: ${name}${ours.length > 1 ? ` [${title(peer)}]` : ''}`, ...cells]);
      }
    });
  });
  return ['ferronet to node:net of the same Node (median, least to greatest); above 1 is better.', '']
    .concat(inColumns(lines, 1))
    .join('\n');
}
