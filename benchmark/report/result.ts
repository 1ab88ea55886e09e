// The outcome of a run as it is written down, and as the table and the pictures are made from.
import type { Outcome } from '../measure';
import type { Implementation } from '../runners/implementations';
import type { Metric, Scenario } from '../scenarios/scenario';
import { type Spread, spread } from '../statistics';
import type { Machine } from './machine';

export interface Figure extends Spread {
  /** Of each round. */
  values: readonly number[];
  /** To `node:net`, round by round; above 1 is better than it. */
  ratio?: Spread;
  /** How near it comes to the floor, which is 1; round by round. */
  floor?: Spread;
}

export interface Row extends Metric {
  /** By the names of the peers. */
  peers: Record<string, Figure>;
}

export interface ScenarioResult {
  name: string;
  title: string;
  scale?: number;
  offered?: number;
  skipped?: string;
  /** By the names of the peers. */
  failures: Record<string, string>;
  metrics: Row[];
}

export interface Result {
  date: string;
  rounds: number;
  seconds: number;
  machine: Machine;
  /** How much of the processor, in percent, went to what is not the benchmark. */
  others?: number;
  peers: readonly Implementation[];
  scenarios: ScenarioResult[];
}

/** How much better one row of rounds is than another. */
function compare(metric: Metric, ours: readonly number[], other: readonly number[]): Spread | undefined {
  // A peer that failed in the middle has fewer rounds: those that both have are compared.
  const rounds = Math.min(ours.length, other.length);
  const ratios = ours
    .slice(0, rounds)
    .map((value, round) => (metric.better === 'more' ? value / other[round]! : other[round]! / value))
    // Of nothing at all there is no ratio.
    .filter((ratio) => Number.isFinite(ratio));
  return ratios.length > 0 ? spread(ratios) : undefined;
}

function row(metric: Metric, { values, failures }: Outcome): Row {
  const of = (peer: string): number[] =>
    failures.has(peer)
      ? []
      : (values.get(peer) ?? []).map((round) => round[metric.name]).filter((value) => value !== undefined);
  const peers: Record<string, Figure> = {};
  for (const peer of values.keys()) {
    const own = of(peer);
    if (own.length === 0) continue;
    const ratio = peer === 'node' ? undefined : compare(metric, own, of('node'));
    const floor = peer === 'floor' ? undefined : compare(metric, own, of('floor'));
    peers[peer] = { ...spread(own), values: own, ...(ratio && { ratio }), ...(floor && { floor }) };
  }
  return { ...metric, peers };
}

function scenarioResult(outcome: Outcome): ScenarioResult {
  const { name, title, scale, offered, skip, metrics }: Scenario = outcome.scenario;
  return {
    name,
    title,
    ...(scale !== undefined && { scale }),
    ...(offered !== undefined && { offered }),
    ...(skip !== undefined && { skipped: skip }),
    failures: Object.fromEntries(outcome.failures),
    metrics: metrics.map((metric) => row(metric, outcome)),
  };
}

export function resultOf(outcomes: readonly Outcome[], about: Omit<Result, 'scenarios' | 'date'>): Result {
  return { date: new Date().toISOString(), ...about, scenarios: outcomes.map(scenarioResult) };
}
