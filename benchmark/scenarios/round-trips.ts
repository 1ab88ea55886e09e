// Scenarios of messages that come back: each connection sends one, waits until all of it is back, and sends the next.
import { load, type LoadResult } from '../runners/peer';
import { openFiles } from './open-files';
import type { Program } from '../runners/program';
import type { Metric, ServerScenario, Values } from './scenario';

/** Targets by metric; a metric without one is not shown unless it is `shown`. */
interface Wanted {
  rate?: number | 'shown';
  p50?: number | 'shown';
  p99?: number | 'shown';
  javascript?: number | 'shown';
  process?: number | 'shown';
  generator?: number | 'shown';
}

interface RoundTrips {
  /** The program of the peers, and the beginning of the name, unless it has another. */
  program: string;
  name?: string;
  title: string;
  connections: number;
  bytes: number;
  wanted: Wanted;
  core?: boolean;
  blocked?: number;
  /** Microseconds of JavaScript. */
  work?: number;
  floor?: boolean;
  scale?: boolean;
}

const METRICS: readonly [keyof Wanted, Metric][] = [
  ['rate', { name: 'round trips', unit: 'round trips/s', better: 'more' }],
  ['p50', { name: 'p50 latency', unit: 'µs', better: 'less' }],
  ['p99', { name: 'p99 latency', unit: 'µs', better: 'less' }],
  ['javascript', { name: 'CPU of the JavaScript thread a round trip', unit: 'µs', better: 'less' }],
  ['process', { name: 'CPU of the whole process a round trip', unit: 'µs', better: 'less' }],
  // Near 100 it is the load generator that is measured.
  ['generator', { name: 'load generator busy', unit: '%', better: 'less' }],
];

function metrics(wanted: Wanted): Metric[] {
  const found: Metric[] = [];
  for (const [key, metric] of METRICS) {
    const target = wanted[key];
    if (target === undefined) found.push({ ...metric, quiet: true });
    else found.push(target === 'shown' ? metric : { ...metric, target });
  }
  return found;
}

export function values({ count, seconds, p50, p99, processor, own }: LoadResult): Values {
  return {
    'round trips': count / seconds,
    'p50 latency': p50 / 1000,
    'p99 latency': p99 / 1000,
    'CPU of the JavaScript thread a round trip': processor?.main ? processor.main / count / 1000 : undefined,
    'CPU of the whole process a round trip': processor ? processor.all / count / 1000 : undefined,
    'load generator busy': own === null ? undefined : (own / 1e9 / seconds) * 100,
  };
}

const size = (bytes: number): string => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`);

function roundTrips(one: RoundTrips): ServerScenario {
  const { connections, bytes, blocked, work } = one;
  const { files, skip } = openFiles(connections);
  const program: Program = {
    name: one.program,
    ...(files && { files }),
    ...(blocked && { blocked }),
    ...(work && { work }),
  };
  return {
    name: `${one.name ?? one.program}${blocked ? '-blocked' : ''}-${connections}x${bytes}`,
    title: `${one.title} ${connections} × ${size(bytes)}`,
    core: one.core ?? false,
    floor: one.floor ?? true,
    metrics: metrics(one.wanted),
    program,
    upstream: one.program === 'proxy',
    skip,
    ...(one.scale && { scale: connections }),
    measure: async ({ binaries, span }, peer) =>
      values(await load(binaries, 'echo', peer, { connections, bytes, files }, span)),
  };
}

const KIB = 1024;
const BLOCKED = 50;

const echo = { program: 'echo', title: 'echo' };
const pipe = { program: 'pipe', title: 'c.pipe(c)' };
const proxy = { program: 'proxy', title: 'proxy' };
const work = (microseconds: number): Omit<RoundTrips, 'wanted'> => ({
  program: 'echo-work',
  name: `echo-work${microseconds}`,
  title: `echo with ${microseconds} µs of JavaScript,`,
  work: microseconds,
  connections: 64,
  bytes: 64,
  floor: false,
});
const all = { rate: 1.15, p50: 'shown', p99: 1.3, javascript: 1.6, process: 'shown' } as const;

export const roundTripScenarios: readonly ServerScenario[] = [
  roundTrips({ ...echo, connections: 1, bytes: 64, wanted: { p50: 1 }, core: true, scale: true }),
  roundTrips({ ...echo, connections: 8, bytes: 64, wanted: { rate: 'shown' }, scale: true }),
  roundTrips({ ...echo, connections: 64, bytes: 64, wanted: all, core: true, scale: true }),
  roundTrips({ ...echo, connections: 256, bytes: 64, wanted: { rate: 'shown' }, scale: true }),
  roundTrips({ ...echo, connections: 1000, bytes: 64, wanted: { rate: 'shown' }, scale: true }),
  roundTrips({ ...echo, connections: 4000, bytes: 64, wanted: { rate: 'shown' }, scale: true }),
  roundTrips({ ...echo, connections: 10_000, bytes: 64, wanted: { rate: 'shown', p99: 'shown' }, scale: true }),
  roundTrips({ ...echo, connections: 1000, bytes: 256, wanted: { rate: 1.2, p99: 'shown' }, core: true }),
  roundTrips({ ...echo, connections: 64, bytes: KIB, wanted: { rate: 'shown' } }),
  roundTrips({ ...echo, connections: 64, bytes: 16 * KIB, wanted: { rate: 'shown' } }),
  roundTrips({ ...echo, connections: 8, bytes: 64 * KIB, wanted: { rate: 1.2 } }),
  roundTrips({ ...work(20), name: 'echo-work', wanted: { rate: 1.25 } }),
  roundTrips({ ...work(50), wanted: { rate: 'shown', p99: 'shown' } }),
  roundTrips({ ...work(100), wanted: { rate: 'shown', p99: 'shown' } }),
  roundTrips({ ...pipe, connections: 64, bytes: 64, wanted: { rate: 1.2 }, core: true }),
  roundTrips({ ...pipe, connections: 8, bytes: 64 * KIB, wanted: { rate: 1.5 } }),
  roundTrips({ ...proxy, connections: 64, bytes: 64, wanted: { rate: 1.35, p99: 'shown' }, core: true }),
  roundTrips({ ...proxy, connections: 8, bytes: 64 * KIB, wanted: { rate: 1.5 } }),
  roundTrips({
    ...proxy,
    title: 'proxy, JavaScript blocked half of the time,',
    connections: 64,
    bytes: 64,
    wanted: { rate: 1.9, p99: 'shown' },
    blocked: BLOCKED,
  }),
  roundTrips({
    ...pipe,
    title: 'c.pipe(c), JavaScript blocked half of the time,',
    connections: 64,
    bytes: 64,
    wanted: { p50: 'shown', p99: 'shown' },
    blocked: BLOCKED,
  }),
];
