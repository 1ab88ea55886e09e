// The load of `clients/tls.cts`, from one process or several.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { Child } from '../processes';
import { median } from '../statistics';
import type { Binaries } from './implementations';
import { LOAD_SECONDS, type LoadOptions, type LoadResult, type Peer, type Span } from './peer';

const CLIENT = join(__dirname, '..', 'clients', 'tls.cjs');
/** More are not needed to keep a server of one thread busy. */
const MOST_CLIENTS = 4;

/** Processes that put load on a server: each has as much to do as the server, so one core is left to that. */
export const clientCount = (): number => Math.max(1, Math.min(MOST_CLIENTS, availableParallelism() - 1));

/** The result of all: what happened in the interval of the first, with the latencies of the median and the worst. */
function merged(results: readonly LoadResult[]): LoadResult {
  const [first] = results as [LoadResult];
  const rate = results.reduce((sum, { count, seconds }) => sum + count / seconds, 0);
  const worst = (of: (one: LoadResult) => number): number => Math.max(...results.map(of));
  return {
    ...first,
    count: rate * first.seconds,
    p50: median(results.map(({ p50 }) => p50)),
    p90: worst(({ p90 }) => p90),
    p99: worst(({ p99 }) => p99),
    p999: worst(({ p999 }) => p999),
    max: worst(({ max }) => max),
    own: worst(({ own }) => own ?? 0),
  };
}

/** Puts load on a TLS server for the time, and waits until all connections are closed. */
export async function loadOverTls(
  binaries: Binaries,
  mode: 'echo' | 'https' | 'handshakes',
  peer: Peer,
  { connections, bytes, rate }: LoadOptions,
  span: Span,
): Promise<LoadResult> {
  const clients = clientCount();
  const options = Object.entries({
    port: peer.port,
    connections: Math.ceil(connections / clients),
    seconds: span.seconds,
    'warm-up': span.warmUp,
    process: peer.child.pid,
    ...(bytes !== undefined && { bytes }),
    ...(rate !== undefined && { rate: rate / clients }),
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const children = Array.from(
    { length: clients },
    () => new Child('the TLS client', { file: binaries.node, args: [CLIENT, mode, ...options] }),
  );
  try {
    const seconds = LOAD_SECONDS + span.seconds + span.warmUp;
    return merged(await Promise.all(children.map((child) => child.hear<LoadResult>(seconds))));
  } finally {
    await Promise.all(children.map((child) => child.leave()));
  }
}
