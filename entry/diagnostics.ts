// `ferronet/diagnostics`: numbers of what is open and what was moved, and whether a pipe passes JavaScript by.
import { Duplex } from 'node:stream';

import { ERR_INVALID_ARG_TYPE } from '../lib/errors/errors.js';
import { stats as readStats } from '../lib/handle/binding.js';
import { EMPTY } from '../lib/node/empty.js';

/** What drives a reactor: the event loop of JavaScript, a thread of the reactor's, or either of them by the load. */
export type Driver = 'auto' | 'loop' | 'thread';

/** Options of `stats()`. */
export interface StatsOptions {
  /** Numbers of all threads of the process. Default `false`: of this one. */
  all?: boolean | undefined;
}

/** What `stats()` returns. */
export interface Stats {
  /** Open connections, TCP and local: also those that are connecting, and those accepted ahead of their event. */
  connections: number;
  /** Sockets that listen. */
  listeners: number;
  /** Pipes between two sockets that pass JavaScript by, one for each direction. */
  relays: number;
  /** Bytes since the first socket, of closed connections too. */
  bytes: {
    /** Taken from the kernel, those that wait for JavaScript included. */
    received: number;
    /** Given to the kernel: what still waits in a queue is not in it. */
    sent: number;
    /** Those that relays have moved. They are in `received` and `sent` as well. */
    relayed: number;
  };
  /** Small writes that waited for the end of a batch of events, and how many sends they became. */
  batches: { writes: number; sends: number };
  /** Memory, in bytes, for what was read and not delivered yet. Always that of the whole process, which shares `limit`. */
  readAhead: { bytes: number; limit: number };
  /** What `FERRONET_DRIVER` asks for. Default `auto`. */
  driver: Driver;
  /** What drives at this moment; `both` where threads differ, `none` before the first socket. */
  driving: 'loop' | 'thread' | 'both' | 'none';
  /** Threads that share the connections, that of JavaScript among them: `FERRONET_THREADS` for each thread that uses sockets. */
  threads: number;
  /** Reactors: one for each thread that uses sockets. 0 before the first one. */
  reactors: number;
}

/**
 * What is open now, and what was moved until now. It costs a look at each open connection.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE if `options.all` is no boolean
 */
export function stats({ all = false }: StatsOptions = EMPTY): Stats {
  if (typeof all !== 'boolean') throw new ERR_INVALID_ARG_TYPE('options.all', 'boolean', all);
  const found = readStats(all);
  // Now, and not when this module is loaded: the reactor reads it with the first socket.
  const setting = process.env['FERRONET_DRIVER'];
  const { connections, listeners, relays, received, sent, relayed, reactors, drivenByThread, threads } = found;
  return {
    connections,
    listeners,
    relays,
    bytes: { received, sent, relayed },
    batches: { writes: found.batched, sends: found.flushed },
    readAhead: { bytes: found.readAhead, limit: found.readAheadLimit },
    driver: setting === 'loop' || setting === 'thread' ? setting : 'auto',
    driving: drivers(reactors, drivenByThread),
    threads,
    reactors,
  };
}

function drivers(reactors: number, byThread: number): Stats['driving'] {
  if (reactors === 0) return 'none';
  if (byThread === 0) return 'loop';
  return byThread === reactors ? 'thread' : 'both';
}

/**
 * Whether a pipe out of a socket, or into it, passes JavaScript by at this moment. It begins after the first chunks, and
 * ends when a listener is added that would see the data. `false` for any other duplex stream.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for anything but a duplex stream
 */
export function isRelayed(socket: Duplex): boolean {
  if (!(socket instanceof Duplex)) throw new ERR_INVALID_ARG_TYPE('socket', 'net.Socket', socket);
  return (socket as { _isRelayed?: () => boolean })._isRelayed?.() ?? false;
}
