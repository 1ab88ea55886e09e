// The table of `--scaling`: a line for each setting of ferronet's, a column for each scenario.
import type { Implementation } from '../runners/implementations';
import { inColumns } from './columns';
import { ratio, short } from './number-text';
import type { Result, ScenarioResult } from './result';
import { about, keepsRate, remarks } from './table';

/** Percent of a core: a load generator that is busy for more of the time may be what limits the rate. */
const BUSY = 95;

const HEADINGS: Record<string, string> = {
  'echo-64x64': 'echo, round trips/s',
  'echo-work-64x64': 'echo + 20 µs',
  'pipe-64x64': 'c.pipe(c)',
  'proxy-64x64': 'proxy',
  'rate-20000': 'CPU of JavaScript at 20,000/s, µs',
};

/** How many threads are busy when a peer is: JavaScript's, the reactor's, and the load generator. */
export function busyThreads({ runtime, env }: Implementation): number {
  if (runtime !== 'ours') return 2;
  const threads = Number(env['FERRONET_THREADS'] ?? 1);
  // The loop drives the first reactor itself; by default a thread does when the loop is blocked.
  return 2 + (env['FERRONET_DRIVER'] === 'thread' ? threads : threads - 1);
}

function cell(scenario: ScenarioResult, peer: string): string {
  const { offered, metrics } = scenario;
  const shown = offered === undefined ? 'round trips' : 'CPU of the JavaScript thread a round trip';
  const figure = metrics.find(({ name }) => name === shown)?.peers[peer];
  if (!figure) return '—';
  const text = `${short(figure.median)}${figure.ratio ? ` (${ratio(figure.ratio.median)})` : ''}`;
  if (offered !== undefined) return keepsRate(scenario, peer) ? text : `${text}!`;
  const generator = metrics.find(({ name }) => name === 'load generator busy')?.peers[peer];
  return generator && generator.median >= BUSY ? `${text}^` : text;
}

export function scalingTable(result: Result): string {
  const { machine, peers, scenarios, rounds } = result;
  const lines = [['driver', 'threads', ...scenarios.map(({ name, title }) => HEADINGS[name] ?? title)]];
  for (const peer of peers) {
    const ours = peer.runtime === 'ours';
    const threads = ours ? (peer.env['FERRONET_THREADS'] ?? '1') : '';
    lines.push([
      ours ? (peer.env['FERRONET_DRIVER'] ?? 'by load') : 'node:net',
      `${threads}${busyThreads(peer) > machine.cores ? '*' : ''}`,
      ...scenarios.map((scenario) => cell(scenario, peer.name)),
    ]);
  }
  const most = Math.max(...peers.map(busyThreads));
  const unfinished = scenarios.filter(({ metrics }) =>
    Object.values(metrics[0]?.peers ?? {}).some(({ values }) => values.length < rounds),
  );
  return [
    about(result),
    'In parentheses: to node:net, the median of the rounds; above 1 is better, also where less is.',
    ...(most > machine.cores
      ? [
          `* more busy threads than the ${machine.cores} cores that this process may use, the load generator included (one more for`,
          '  a proxy, whose other side is a process as well): it shows how they share the cores, not what threads bring.',
        ]
      : []),
    '^ the load generator was busy all the time: the peer may be faster.',
    '! did not keep the rate, so its processor time is of another rate.',
    '',
    ...inColumns(lines, 1),
    '',
    ...unfinished.map(({ title }) => `${title}: not all of ${rounds} rounds, the time was up`),
    ...scenarios.flatMap(remarks),
  ].join('\n');
}
