// `socket.connect`: from options to a connection. Looks the name up, selects the usable addresses, and tries them: a single
// one here, several in serial.ts.
import type { LookupOptions } from 'node:dns';

import { isIP } from '../address/is-ip.js';
import {
  type Address,
  type Attempt,
  attemptError,
  becomeConnected,
  bindLocal,
  blockedError,
  connectPath,
  connectTcp,
} from './attempt.js';
import {
  type Bound,
  type ConnectListener,
  type IpcConnectOptions,
  type SocketConnectOptions,
  type TcpTarget,
  readTarget,
} from './options.js';
import { debug } from '../node/diagnostics.js';
import {
  type NetError,
  ERR_INVALID_ADDRESS_FAMILY,
  ERR_INVALID_IP_ADDRESS,
  exceptionWithHostPort,
  uvErrno,
} from '../errors/errors.js';
import { Pipe } from '../handle/pipe.js';
import { TCP } from '../handle/tcp.js';
import { dns } from '../node/modules.js';
import { SerialAttempts } from './serial.js';
import type { SocketHandle } from '../handle/socket.js';
import { attachHandle, startReading } from '../stream/read.js';
import { type SocketCore, kState, whenConnected } from '../stream/state.js';
import { noteActivity } from '../stream/timeout.js';
import { nextTick } from '../node/timers.js';

const UV_EINVAL: number = uvErrno('EINVAL');

/** @throws for options without a target; the socket is unchanged then */
export function connectSocket(
  socket: SocketCore,
  options: SocketConnectOptions,
  listener: ConnectListener | null,
): void {
  const target = readTarget(options, boundTo(socket));
  prepareHandle(socket, 'path' in target);
  const error = kindError(socket, target);
  if (error) {
    socket.destroy(error);
    return;
  }
  if (listener !== null) socket.once('connect', listener);
  noteActivity(socket);
  socket.connecting = true;
  if ('path' in target) openPath(socket, target.path);
  else resolveTarget(socket, target);
}

function boundTo(socket: SocketCore): Bound {
  // A closed socket has lost its bound address.
  if (!socket[kState].bound || socket.destroyed) return undefined;
  return socket[kState].handle?.kind === 'PIPE' ? 'path' : 'address';
}

function prepareHandle(socket: SocketCore, local: boolean): void {
  if (socket.destroyed) {
    socket._handle = null;
    socket._peername = undefined;
  }
  // An existing handle may be bound or connecting: its `connect` returns an error if it cannot connect now.
  const { handle } = socket[kState];
  if (handle !== null) {
    pauseUntilConnected(socket, handle);
    return;
  }
  attachHandle(socket, local ? new Pipe(Pipe.SOCKET) : new TCP(TCP.SOCKET));
}

// A socket with a handle keeps it, and can only connect to targets of its kind. node:net aborts the process here, or connects
// to a path with the name of the host.
function kindError(socket: SocketCore, target: IpcConnectOptions | TcpTarget): NetError | undefined {
  const kind = socket[kState].handle?.kind;
  if ('path' in target) {
    return kind === 'TCP' ? exceptionWithHostPort(UV_EINVAL, 'connect', target.path) : undefined;
  }
  return kind === 'PIPE' ? exceptionWithHostPort(UV_EINVAL, 'connect', target.host, target.port) : undefined;
}

// A socket made of a descriptor reads at once, which is an error before it has connected.
function pauseUntilConnected(socket: SocketCore, handle: SocketHandle): void {
  if (!handle.reading || socket.connecting) return;
  handle.readStop();
  whenConnected(socket, () => startReading(socket));
}

// For callbacks that may arrive after the socket was destroyed, and even after another `connect`.
function currentConnect(socket: SocketCore): () => boolean {
  const state = socket[kState];
  const { life } = state;
  return () => socket.connecting && state.life === life;
}

function openPath(socket: SocketCore, path: string): void {
  const isCurrent = currentConnect(socket);
  socket.emit('connectionAttempt', path, undefined, undefined);
  if (!isCurrent()) return;
  const error = connectPath(socket, path, (status, handle) => {
    endSingle(socket, { address: path }, status, handle);
  });
  if (error) socket.destroy(error);
}

function openAddress(socket: SocketCore, attempt: Attempt): void {
  const bindError = bindLocal(socket, attempt);
  if (bindError) {
    socket.destroy(bindError);
    return;
  }
  const isCurrent = currentConnect(socket);
  socket.emit('connectionAttempt', attempt.address, attempt.port, attempt.family);
  // If a listener has destroyed the socket, node:net continues here without a handle.
  if (!isCurrent()) return;
  const error =
    blockedError(socket, attempt) ??
    connectTcp(socket, attempt, (status, connected) => endSingle(socket, attempt, status, connected));
  if (error) socket.destroy(error);
}

/** The attempt of a target with a single address has ended. */
function endSingle(socket: SocketCore, attempt: Partial<Attempt>, status: number, handle: SocketHandle): void {
  if (socket.destroyed || socket[kState].handle !== handle || !socket.connecting) return;
  if (status === 0) {
    becomeConnected(socket);
    return;
  }
  socket.connecting = false;
  const error = attemptError(status, attempt);
  socket.emit('connectionAttemptFailed', attempt.address, attempt.port, attempt.family, error);
  socket.destroy(error);
}

function attemptAt(target: TcpTarget, { address, family }: Address): Attempt {
  return { address, family, port: target.port, localAddress: target.localAddress, localPort: target.localPort };
}

function resolveTarget(socket: SocketCore, target: TcpTarget): void {
  const isCurrent = currentConnect(socket);
  const family = isIP(target.host);
  if (family === 0) {
    lookUp(socket, target, isCurrent);
    return;
  }
  const open = (): void => {
    if (isCurrent()) openAddress(socket, attemptAt(target, { address: target.host, family }));
  };
  // In the next tick, so that the caller can add listeners. As in node:net, at once for a bound socket.
  if (target.bound) open();
  else nextTick(open);
}

const FAMILIES: Record<string, number> = { IPv4: 4, IPv6: 6 };

function lookUp(socket: SocketCore, target: TcpTarget, isCurrent: () => boolean): void {
  const family = FAMILIES[target.family as string] ?? (target.family as number);
  const anyFamily = family !== 4 && family !== 6;
  const hints = target.hints === 0 && anyFamily && process.platform !== 'win32' ? dns().ADDRCONFIG : target.hints;
  const options: LookupOptions = { family, hints };
  const lookup = target.lookup ?? (dns().lookup as NonNullable<TcpTarget['lookup']>);
  const { host } = target;
  socket._host = host;
  debug('connect: find host', host, options);
  if (anyFamily && target.autoSelectFamily && target.localAddress === undefined) {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      onAddresses(socket, target, isCurrent, error, addresses as unknown as Address[]);
    });
    return;
  }
  lookup(host, options, (error, address, found) => {
    socket.emit('lookup', error, address, found, host);
    if (!isCurrent()) return;
    const failure = error ?? addressError(target, address, found);
    if (failure) {
      failLater(socket, failure);
      return;
    }
    noteActivity(socket);
    openAddress(socket, attemptAt(target, { address: address as string, family: found as 4 | 6 }));
  });
}

// In the next tick: a synchronous `lookup` calls back before the caller can add an `error` listener.
function failLater(socket: SocketCore, error: Error): void {
  nextTick(() => socket.destroy(error));
}

function addressError(target: TcpTarget, address: unknown, family: unknown): Error | undefined {
  if (typeof address !== 'string' || isIP(address) === 0) return new ERR_INVALID_IP_ADDRESS(address);
  if (family === 4 || family === 6) return undefined;
  return new ERR_INVALID_ADDRESS_FAMILY(family, target.givenHost, target.givenPort);
}

function onAddresses(
  socket: SocketCore,
  target: TcpTarget,
  isCurrent: () => boolean,
  error: Error | null,
  addresses: readonly Address[] | undefined,
): void {
  if (!isCurrent()) return;
  if (error) {
    socket.emit('lookup', error, undefined, undefined, target.host);
    if (isCurrent()) failLater(socket, error);
    return;
  }
  const list = Array.isArray(addresses) ? (addresses as readonly Address[]) : [];
  // Not a `for` loop: leaving one looks up `return` of the iterator, which a program may have put on `Object.prototype`.
  const isOver = list.some(({ address, family }) => {
    socket.emit('lookup', null, address, family, target.host);
    return !isCurrent();
  });
  if (isOver) return;
  const found = interleaved(list);
  const first = found[0];
  if (first === undefined) {
    failLater(socket, addressError(target, list[0]?.address, list[0]?.family) ?? new ERR_INVALID_IP_ADDRESS(undefined));
    return;
  }
  noteActivity(socket);
  if (found.length === 1) {
    openAddress(socket, attemptAt(target, first));
    return;
  }
  const attempts = found.map((address) => attemptAt(target, address));
  new SerialAttempts(socket, attempts, target.attemptTimeout, isCurrent).tryNext();
}

/** The usable addresses without duplicates, alternating between the families, that of the first one first. */
function interleaved(addresses: readonly Address[]): Address[] {
  const usable = new Map<string, Address>();
  for (const each of addresses) {
    if (isIP(each.address) === 0 || (each.family !== 4 && each.family !== 6)) continue;
    if (!usable.has(each.address)) usable.set(each.address, each);
  }
  const all = [...usable.values()];
  const preferred = all.filter(({ family }) => family === all[0]?.family);
  const others = all.filter(({ family }) => family !== all[0]?.family);
  return (preferred.length < others.length ? others : preferred)
    .flatMap((_, i) => [preferred[i], others[i]])
    .filter((each) => each !== undefined);
}
