import test from 'ava';

import { busyThreads } from './report/scaling-table';
import { implementation } from './runners/implementations';
import { SCALING_MINUTES, SCALING_ROUNDS, scaling, scalingPeers, scalingSeconds } from './scaling';

const names = (cores: number): string[] => scalingPeers(cores).map(({ name }) => name);

test('there are as many reactor threads as cores at most, with each driver', (t) => {
  t.deepEqual(names(1), ['node', 'ours', 'ours:FERRONET_DRIVER=loop', 'ours:FERRONET_DRIVER=thread']);
  t.is(names(2).length, 1 + 3 * 2);
  t.true(names(2).includes('ours:FERRONET_DRIVER=thread:FERRONET_THREADS=2'));
  t.false(names(7).some((name) => name.endsWith('THREADS=8')));
  t.is(names(64).length, 1 + 3 * 4);
});

test('all rounds fit into the time', (t) => {
  for (const cores of [1, 2, 4, 8, 64]) {
    const peers = names(cores).length;
    const seconds = scalingSeconds(peers);
    t.true(seconds >= 0.2 && seconds <= 1);
    // Each starts, warms up, and measures, once more at the fixed rate.
    t.true(SCALING_ROUNDS * peers * 6 * (0.6 + 1.5 * seconds) <= SCALING_MINUTES * 60 + 1, `${cores} cores`);
  }
});

test('its scenarios exist', (t) => {
  t.true(scaling().scenarios.every((scenario) => scenario !== undefined));
});

test('JavaScript, the load generator and the threads that drive are busy', (t) => {
  for (const [word, busy] of [
    ['node', 2],
    ['ours', 2],
    ['ours:FERRONET_THREADS=4', 5],
    ['ours:FERRONET_DRIVER=loop:FERRONET_THREADS=2', 3],
    ['ours:FERRONET_DRIVER=thread', 3],
    ['ours:FERRONET_DRIVER=thread:FERRONET_THREADS=4', 6],
  ] as const) {
    t.is(busyThreads(implementation(word)), busy, word);
  }
});
