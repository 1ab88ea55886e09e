// `--scaling`: how ferronet's threads and drivers compare to `node:net`, and to each other, on the cores of this machine.
import { availableParallelism } from 'node:os';

import { type Implementation, implementation } from './runners/implementations';
import { scenarios } from './scenarios';
import type { Scenario } from './scenarios/scenario';

/** For all measuring: with what it takes to build and to end, that is less than ten. */
export const SCALING_MINUTES = 8;
export const SCALING_ROUNDS = 3;

const SCENARIOS = ['echo-64x64', 'echo-work-64x64', 'pipe-64x64', 'proxy-64x64', 'rate-20000'];
const THREADS = [1, 2, 4, 8];
const DRIVERS = [undefined, 'loop', 'thread'];

const LEAST_SECONDS = 0.2;
const MOST_SECONDS = 1;
/** What a peer takes in a round beside the measured time: to start, to connect, to warm up. */
const OVERHEAD_SECONDS = 0.6;
/** A warm-up and a first run come on top of the measured time. */
const OF_MEASURED = 1.5;

/** As many reactor threads as there are cores, at most. */
export function scalingPeers(cores: number): Implementation[] {
  const threads = THREADS.filter((count) => count === 1 || count <= cores);
  const words = DRIVERS.flatMap((driver) =>
    threads.map((count) =>
      ['ours', driver && `FERRONET_DRIVER=${driver}`, count > 1 && `FERRONET_THREADS=${count}`]
        .filter(Boolean)
        .join(':'),
    ),
  );
  return ['node', ...words].map(implementation);
}

/** Measured seconds of each peer in each round, so that all of it takes the minutes. */
export function scalingSeconds(peers: number): number {
  // At a fixed rate there is a second run, for the delay of the event loop.
  const runs = peers * (SCENARIOS.length + 1) * SCALING_ROUNDS;
  const seconds = ((SCALING_MINUTES * 60) / runs - OVERHEAD_SECONDS) / OF_MEASURED;
  return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, seconds));
}

/** What the command line need not say. */
export function scaling(): {
  rounds: number;
  seconds: number;
  minutes: number;
  scenarios: Scenario[];
  peers: Implementation[];
} {
  const peers = scalingPeers(availableParallelism());
  return {
    rounds: SCALING_ROUNDS,
    seconds: scalingSeconds(peers.length),
    minutes: SCALING_MINUTES,
    scenarios: SCENARIOS.map((wanted) => scenarios.find(({ name }) => name === wanted)!),
    peers,
  };
}
