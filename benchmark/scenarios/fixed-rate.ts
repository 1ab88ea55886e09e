// Round trips at a fixed rate, which every peer can keep: what they cost, and what waits meanwhile. As fast as it goes, a
// server that is better at batching has more to batch, and on two cores the load generator takes a part of what it saves.
import { loadAtRate } from '../runners/peer';
import { values as roundTripValues } from './round-trips';
import type { Metric, ServerScenario } from './scenario';

const CONNECTIONS = 64;
const BYTES = 64;
const PERCENT = 100;

const metrics: readonly Metric[] = [
  { name: 'CPU of the JavaScript thread a round trip', unit: 'µs', better: 'less' },
  { name: 'CPU of the whole process a round trip', unit: 'µs', better: 'less' },
  { name: 'p50 latency', unit: 'µs', better: 'less', quiet: true },
  { name: 'p99 latency', unit: 'µs', better: 'less' },
  { name: 'p99.9 latency', unit: 'µs', better: 'less', quiet: true },
  { name: 'event loop delay p99', unit: 'µs', better: 'less' },
  { name: 'round trips', unit: 'round trips/s', better: 'more', quiet: true },
  { name: 'late', unit: '%', better: 'less', quiet: true },
  { name: 'unsent', unit: '%', better: 'less', quiet: true },
  { name: 'p99 of how late the load generator sent', unit: 'µs', better: 'less', quiet: true },
  { name: 'load generator busy', unit: '%', better: 'less', quiet: true },
];

function fixedRate(rate: number): ServerScenario {
  const options = { connections: CONNECTIONS, bytes: BYTES, rate };
  return {
    name: `rate-${rate}`,
    title: `echo ${CONNECTIONS} × ${BYTES} B, ${rate.toLocaleString('en-US')} round trips/s`,
    metrics,
    offered: rate,
    program: { name: 'echo' },
    async measure({ binaries, span }, peer) {
      const result = await loadAtRate(binaries, peer, options, span, 'usage');
      // Once more, since the timer that measures the delay costs processor time.
      const { delay } =
        peer.implementation.runtime === 'floor'
          ? { delay: undefined }
          : await loadAtRate(binaries, peer, options, span, 'delay');
      const offered = result.offered * result.seconds;
      return {
        ...roundTripValues(result),
        // What the warm-up has left to catch up with is no more than was offered.
        'round trips': Math.min(rate, result.count / result.seconds),
        'p99.9 latency': result.p999 / 1000,
        'event loop delay p99': delay === undefined ? undefined : delay / 1000,
        late: (result.late / offered) * PERCENT,
        unsent: (result.unsent / offered) * PERCENT,
        'p99 of how late the load generator sent': result.lag / 1000,
      };
    },
  };
}

export const fixedRateScenarios: readonly ServerScenario[] = [fixedRate(20_000), fixedRate(40_000)];
