// Runs the scenarios: for each, rounds in which the peers take turns, each in a new process that is warmed up first.
import type { Options } from './options';
import { type Binaries, type Implementation, implementation } from './runners/implementations';
import { endPeer, type Peer, type Span, startPeer } from './runners/peer';
import type { Scenario, ServerScenario, Values } from './scenarios/scenario';

/** A share of the measured time, before it, in every round: connections get their speed, code its last form. */
const WARM_UP_SHARE = 0.2;
const LEAST_WARM_UP = 0.1;
/** Of the measured time: a first run that is not reported, in which a new process compiles its code. */
const FIRST_RUN_SHARE = 0.25;

export interface Outcome {
  scenario: Scenario;
  /** By the names of the peers: the values of each round. */
  values: Map<string, Values[]>;
  /** By the names of the peers: what went wrong. */
  failures: Map<string, string>;
}

/** Progress of a measurement. */
export interface Progress {
  scenario: (scenario: Scenario, index: number) => void;
  step: (what: string) => void;
}

async function withReason<T>(peer: Peer, measured: Promise<T>): Promise<T> {
  try {
    return await measured;
  } catch (error) {
    // The load generator only sees a connection that broke; a peer that died has the reason.
    throw peer.child.failure ?? error;
  }
}

/**
 * One round of a peer, in a process that is new: where its memory happens to lie makes some processes half as fast as
 * others for as long as they live, so rounds of a single process would all say the same, and it might be wrong.
 */
async function round(
  scenario: ServerScenario,
  one: Implementation,
  binaries: Binaries,
  upstream: number | undefined,
  span: Span,
): Promise<Values> {
  const peer = await startPeer(one, binaries, scenario.program, upstream);
  const measure = (of: Span): Promise<Values> => withReason(peer, scenario.measure({ binaries, span: of }, peer));
  try {
    if (!scenario.cold) await measure({ ...span, seconds: span.seconds * FIRST_RUN_SHARE });
    return await measure(span);
  } finally {
    await endPeer(peer);
  }
}

/** The peers, in an order that rotates by one with each round, so that no peer always gets the warmer machine. */
function turns<T>(all: readonly T[], round: number): T[] {
  const first = round % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}

/** Until when a scenario may take another round, and until when anything may begin; in the time of `performance.now()`. */
interface Until {
  round: number;
  end: number;
}

async function run(
  scenario: Scenario,
  options: Options,
  binaries: Binaries,
  progress: Progress,
  until: Until,
): Promise<Outcome> {
  const peers = options.peers.filter(({ runtime }) => runtime !== 'floor' || scenario.floor !== false);
  const values = new Map<string, Values[]>(peers.map(({ name }) => [name, []]));
  const failures = new Map<string, string>();
  const span: Span = {
    seconds: options.seconds,
    warmUp: Math.max(LEAST_WARM_UP, options.seconds * WARM_UP_SHARE),
  };

  /** Does something for a peer that has not failed; an error is the end of its part in this scenario. */
  const attempt = async (one: Implementation, what: string, action: () => Promise<void>): Promise<void> => {
    if (failures.has(one.name) || performance.now() > until.end) return;
    progress.step(`${what}, ${one.name}`);
    try {
      await action();
    } catch (error) {
      failures.set(one.name, error instanceof Error ? error.message : String(error));
    }
  };

  let upstream: Peer | undefined;
  try {
    if (scenario.program && scenario.upstream) {
      const { files } = scenario.program;
      upstream = await startPeer(
        implementation('floor'),
        binaries,
        { name: 'echo', ...(files && { files }) },
        undefined,
      );
    }
    for (let n = 0; n < options.rounds; n++) {
      for (const one of turns(peers, n)) {
        if (n > 0 && performance.now() > until.round) break;
        await attempt(one, `round ${n + 1} of ${options.rounds}`, async () => {
          const measured = scenario.program
            ? round(scenario, one, binaries, upstream?.port, span)
            : scenario.measure({ binaries, span }, one);
          values.get(one.name)!.push(await measured);
        });
      }
    }
  } finally {
    if (upstream) await endPeer(upstream);
  }
  return { scenario, values, failures };
}

export async function measureAll(options: Options, binaries: Binaries, progress: Progress): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const started = performance.now();
  const milliseconds = (options.minutes ?? Infinity) * 60_000;
  for (const [index, scenario] of options.scenarios.entries()) {
    progress.scenario(scenario, index);
    const until = {
      // Each has the same share, and what those before it have left.
      round: started + (milliseconds * (index + 1)) / options.scenarios.length,
      end: started + milliseconds,
    };
    if (scenario.skip === undefined) outcomes.push(await run(scenario, options, binaries, progress, until));
    else outcomes.push({ scenario, values: new Map(), failures: new Map() });
  }
  return outcomes;
}
