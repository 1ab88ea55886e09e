import test from 'ava';

import { implementation } from '../runners/implementations';
import type { Metric, Scenario } from '../scenarios/scenario';
import { nodesTable } from './nodes-table';
import { type Result, resultOf } from './result';
import { table } from './table';

const less: Metric = { name: 'time', unit: 'µs', better: 'less' };
const more: Metric = { name: 'rate', unit: 'requests/s', better: 'more' };
const trips: Metric = { name: 'round trips', unit: 'round trips/s', better: 'more', quiet: true };

function resultOn(node: string, values: Record<string, Record<string, number>[]>, offered?: number): Result {
  const described = { name: 'x', title: 'X', program: null, metrics: [less, more, trips], offered };
  const scenario = described as unknown as Scenario;
  const machine = { processor: 'P', cores: 2, memoryGiB: 1, system: 'S', versions: { node } };
  const peers = ['ours', 'node'].map(implementation);
  const outcome = { scenario, values: new Map(Object.entries(values)), failures: new Map<string, string>() };
  return resultOf([outcome], { rounds: 2, seconds: 1, machine, peers });
}

test('a ratio is taken round by round, and above 1 is better also where less is', (t) => {
  const { scenarios } = resultOn('20.0.0', {
    ours: [
      { time: 1, rate: 30 },
      { time: 1, rate: 40 },
    ],
    node: [
      { time: 2, rate: 10 },
      { time: 4, rate: 10 },
    ],
  });
  const [time, rate] = scenarios[0]!.metrics;
  t.deepEqual(time!.peers['ours']!.ratio, { median: 3, least: 2, greatest: 4 });
  t.deepEqual(rate!.peers['ours']!.ratio, { median: 3.5, least: 3, greatest: 4 });
});

test('there is no ratio to nothing, nor of nothing', (t) => {
  const { scenarios } = resultOn('20.0.0', { ours: [{ time: 0, rate: 1 }], node: [{ time: 0, rate: 0 }] });
  for (const { peers } of scenarios[0]!.metrics.slice(0, 2)) t.is(peers['ours']!.ratio, undefined);
});

test('the table names a peer that did not keep an offered rate', (t) => {
  const values = { ours: [{ time: 1, 'round trips': 1000 }], node: [{ time: 1, 'round trips': 900 }] };
  t.regex(table(resultOn('20.0.0', values, 1000)), /did not keep the rate: X \[node\]$/m);
  t.notRegex(table(resultOn('20.0.0', values, 1000)), /\[ours\]/);
  // As many as it can is no rate to be kept.
  t.notRegex(table(resultOn('20.0.0', values)), /did not keep/);
});

test('of several Nodes each has a column', (t) => {
  const on = (node: string, time: number): Result => resultOn(node, { ours: [{ time }], node: [{ time: 6 }] });
  const [, , headings, , time] = nodesTable([on('22.1.0', 2), on('24.2.0', 3)]).split('\n');
  t.regex(headings!, /Node 22\.1\.0 +Node 24\.2\.0$/);
  t.regex(time!, /^X: time +3\.00 +2\.00$/);
});

test('a figure that a Node does not have is missing in its column', (t) => {
  const lacking = resultOn('20.0.0', { ours: [{}], node: [{}] });
  const lines = nodesTable([lacking, resultOn('24.0.0', { ours: [{ time: 2 }], node: [{ time: 4 }] })]).split('\n');
  t.regex(lines[4]!, /^X: time +— +2\.00$/);
});
