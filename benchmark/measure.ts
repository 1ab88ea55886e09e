// Runs the scenarios: for each, a process of every peer, a warm-up, then rounds in which the peers take turns.
import type { Options } from './options';
import { type Binaries, type Implementation, implementation } from './runners/implementations';
import { type Peer, type Span, startPeer } from './runners/peer';
import type { Scenario, ServerScenario, Stage, Values } from './scenarios/scenario';

/** A share of the measured time, before it, in every round: connections get their speed, code its last form. */
const WARM_UP_SHARE = 0.2;
const LEAST_WARM_UP = 0.1;
/** Of the measured time: a first run whose result nobody sees, in which a new process compiles its code. */
const FIRST_RUN_SHARE = 0.25;

export interface Outcome {
  scenario: Scenario;
  /** By the names of the peers: the values of each round. */
  values: Map<string, Values[]>;
  /** By the names of the peers: what went wrong. */
  failures: Map<string, string>;
}

/** What the measuring tells while it goes on. */
export interface Progress {
  scenario: (scenario: Scenario, index: number) => void;
  step: (what: string) => void;
}

/** Something that can be measured again and again, and let go in the end. */
interface Subject {
  measure: (span: Span) => Promise<Values>;
  leave: () => Promise<void>;
  /** It begins anew with each round, so that there is nothing to warm. */
  fresh: boolean;
}

const nothing = async (): Promise<void> => {};

async function withReason(peer: Peer, measured: Promise<Values>): Promise<Values> {
  try {
    return await measured;
  } catch (error) {
    // The load generator only sees a connection that broke; a peer that died has the reason.
    throw peer.child.failure ?? error;
  }
}

async function serverSubject(
  scenario: ServerScenario,
  one: Implementation,
  binaries: Binaries,
  upstream: number | undefined,
): Promise<Subject> {
  const start = (): Promise<Peer> => startPeer(one, binaries, scenario.program, upstream);
  if (scenario.fresh) {
    const measure = async (span: Span): Promise<Values> => {
      const peer = await start();
      try {
        return await withReason(peer, scenario.measure({ binaries, span }, peer));
      } finally {
        await peer.child.leave();
      }
    };
    return { measure, leave: nothing, fresh: true };
  }
  const peer = await start();
  return {
    measure: (span) => withReason(peer, scenario.measure({ binaries, span }, peer)),
    leave: () => peer.child.leave(),
    fresh: false,
  };
}

/** Who takes part, in an order that moves by one with each round, so that nobody always gets the warmer machine. */
function turns<T>(all: readonly T[], round: number): T[] {
  const first = round % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}

async function run(scenario: Scenario, options: Options, binaries: Binaries, progress: Progress): Promise<Outcome> {
  const peers = options.peers.filter(({ runtime }) => runtime !== 'floor' || scenario.floor !== false);
  const values = new Map<string, Values[]>(peers.map(({ name }) => [name, []]));
  const failures = new Map<string, string>();
  const subjects = new Map<Implementation, Subject>();
  const span: Span = {
    seconds: options.seconds,
    warmUp: Math.max(LEAST_WARM_UP, options.seconds * WARM_UP_SHARE),
  };

  /** Does something for a peer that has not failed; an error is the end of its part in this scenario. */
  const attempt = async (one: Implementation, what: string, action: () => Promise<void>): Promise<void> => {
    if (failures.has(one.name)) return;
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
    for (const one of peers) {
      await attempt(one, 'warm-up', async () => {
        const stage: Omit<Stage, 'span'> = { binaries };
        const subject: Subject = scenario.program
          ? await serverSubject(scenario, one, binaries, upstream?.port)
          : { measure: (of) => scenario.measure({ ...stage, span: of }, one), leave: nothing, fresh: true };
        subjects.set(one, subject);
        if (!subject.fresh) await subject.measure({ ...span, seconds: span.seconds * FIRST_RUN_SHARE });
      });
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const one of turns(peers, round)) {
        await attempt(one, `round ${round + 1} of ${options.rounds}`, async () => {
          values.get(one.name)!.push(await subjects.get(one)!.measure(span));
        });
      }
    }
  } finally {
    await Promise.all([...subjects.values()].map((subject) => subject.leave()));
    await upstream?.child.leave();
  }
  return { scenario, values, failures };
}

export async function measureAll(options: Options, binaries: Binaries, progress: Progress): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, scenario] of options.scenarios.entries()) {
    progress.scenario(scenario, index);
    if (scenario.skip === undefined) outcomes.push(await run(scenario, options, binaries, progress));
    else outcomes.push({ scenario, values: new Map(), failures: new Map() });
  }
  return outcomes;
}
