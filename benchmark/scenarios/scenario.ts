// What a scenario is: a program for the peers, a load, and the figures that come out of it.
import type { Binaries, Implementation } from '../runners/implementations';
import type { Peer, Span } from '../runners/peer';
import type { Program } from '../runners/program';

export type Unit =
  | 'round trips/s'
  | 'messages/s'
  | 'connections/s'
  | 'requests/s'
  | 'handshakes/s'
  | 'MB/s'
  | 'µs'
  | 'ms'
  | 'bytes'
  | '%';

/** A figure of a scenario. */
export interface Metric {
  /** What it is, in the results. */
  name: string;
  unit: Unit;
  better: 'more' | 'less';
  /** The goal: the least ratio to `node:net`. Above 1 is better for ferronet, whatever the metric. */
  target?: number;
  /** The goal where a ratio makes no sense: the most that ferronet may have. */
  limit?: number;
  /** Measured and written down, but not a row of the table. */
  quiet?: boolean;
}

export interface Stage {
  binaries: Binaries;
  span: Span;
}

interface Described {
  name: string;
  /** In a few words, for the table. */
  title: string;
  /** One of the few that a short run is made of. */
  core?: boolean;
  metrics: readonly Metric[];
  /** Whether the floor can do it. Default true. */
  floor?: boolean;
  /** Why it cannot run on this machine. */
  skip?: string | undefined;
  /** A point of the scale curve: how many connections. */
  scale?: number;
  /** The rate at which round trips are due, a second. A peer keeps it when the metric `round trips` is not below. */
  offered?: number;
}

/** Values by the names of the metrics. */
export type Values = Readonly<Record<string, number | undefined>>;

/** A peer serves for a round, and load is put on it. */
export interface ServerScenario extends Described {
  program: Program;
  /** A relay's other side is wanted. */
  upstream?: boolean;
  /** What is measured does not come back to where it was, so there is no warm-up. */
  cold?: boolean;
  measure: (stage: Stage, peer: Peer) => Promise<Values>;
}

/** Processes that run once and print a figure. */
export interface ProcessScenario extends Described {
  program: null;
  measure: (stage: Stage, peer: Implementation) => Promise<Values>;
}

export type Scenario = ServerScenario | ProcessScenario;
