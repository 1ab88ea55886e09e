// Servers above `net`, of HTTP and of TLS: much of what they do is theirs, so a ratio is nearer to 1 than that of the
// sockets below.
import { load, type LoadResult, type Span, type Peer } from '../runners/peer';
import type { Binaries } from '../runners/implementations';
import { loadOverTls } from '../runners/tls-load';
import type { Metric, ServerScenario, Unit, Values } from './scenario';

const PERCENT = 100;

interface Requests {
  name: string;
  title: string;
  /** Of `peers/fronts.cts`. */
  program: 'http' | 'https' | 'tls';
  /** What is counted, in the singular. */
  of: 'round trip' | 'request' | 'handshake';
  /** The rate at which they are due. Otherwise there are as many as the peer can take. */
  offered?: number;
  load: (binaries: Binaries, peer: Peer, span: Span) => Promise<LoadResult>;
}

function requests({ name, title, program, of, offered, load: put }: Requests): ServerScenario {
  const fixed = offered !== undefined;
  const [rate, main, all] = [
    `${of}s`,
    `CPU of the JavaScript thread a ${of}`,
    `CPU of the whole process a ${of}`,
  ] as const;
  const metrics: Metric[] = [
    { name: rate, unit: `${of}s/s` satisfies Unit, better: 'more', quiet: fixed },
    { name: main, unit: 'µs', better: 'less', quiet: !fixed },
    // Where the client is the slower of the two, this says more than the rate.
    { name: all, unit: 'µs', better: 'less' },
    { name: 'p50 latency', unit: 'µs', better: 'less', quiet: true },
    { name: 'p99 latency', unit: 'µs', better: 'less', quiet: fixed },
    { name: 'load generator busy', unit: '%', better: 'less', quiet: true },
  ];
  return {
    name,
    title,
    floor: false,
    ...(offered !== undefined && { offered }),
    metrics,
    program: { name: program },
    async measure({ binaries, span }, peer): Promise<Values> {
      const { count, seconds, p50, p99, processor, own } = await put(binaries, peer, span);
      return {
        [rate]: Math.min(offered ?? Infinity, count / seconds),
        [main]: processor?.main ? processor.main / count / 1000 : undefined,
        [all]: processor ? processor.all / count / 1000 : undefined,
        'p50 latency': p50 / 1000,
        'p99 latency': p99 / 1000,
        'load generator busy': own === null ? undefined : (own / 1e9 / seconds) * PERCENT,
      };
    },
  };
}

const HTTP_CONNECTIONS = 64;
const TLS = { connections: 32, bytes: 64 };
const TLS_RATE = 4000;
const UNDER_WAY = 16;

export const requestScenarios: readonly ServerScenario[] = [
  requests({
    name: 'http-64',
    title: `HTTP, ${HTTP_CONNECTIONS} connections that are kept`,
    program: 'http',
    of: 'request',
    load: (binaries, peer, span) => load(binaries, 'http', peer, { connections: HTTP_CONNECTIONS }, span),
  }),
  requests({
    name: 'http-churn',
    title: `HTTP, a connection for each request; ${UNDER_WAY} at a time`,
    program: 'http',
    of: 'request',
    load: (binaries, peer, span) => load(binaries, 'http-close', peer, { connections: UNDER_WAY }, span),
  }),
  requests({
    name: 'https-32',
    title: `HTTPS, ${TLS.connections} connections that are kept`,
    program: 'https',
    of: 'request',
    load: (binaries, peer, span) => loadOverTls(binaries, 'https', peer, { connections: TLS.connections }, span),
  }),
  requests({
    name: 'tls-32x64',
    title: `TLS echo ${TLS.connections} × ${TLS.bytes} B`,
    program: 'tls',
    of: 'round trip',
    load: (binaries, peer, span) => loadOverTls(binaries, 'echo', peer, TLS, span),
  }),
  requests({
    name: `tls-rate-${TLS_RATE}`,
    title: `TLS echo ${TLS.connections} × ${TLS.bytes} B, ${TLS_RATE.toLocaleString('en-US')} round trips/s`,
    program: 'tls',
    of: 'round trip',
    offered: TLS_RATE,
    load: (binaries, peer, span) => loadOverTls(binaries, 'echo', peer, { ...TLS, rate: TLS_RATE }, span),
  }),
  requests({
    name: 'tls-handshakes',
    title: `TLS handshakes, ${UNDER_WAY} at a time`,
    program: 'tls',
    of: 'handshake',
    load: (binaries, peer, span) => loadOverTls(binaries, 'handshakes', peer, { connections: UNDER_WAY }, span),
  }),
];
