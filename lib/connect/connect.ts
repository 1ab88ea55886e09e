// `socket.connect`: from options to targets. Looks the name up and selects the usable addresses. A single one is connected to
// in single.ts, several in serial.ts.
import type { LookupOptions } from 'node:dns';

import { isIP } from '../address/is-ip.js';
import type { Target } from './attempt.js';
import { type Bound, type ConnectListener, type SocketConnectOptions, type TcpTarget, readTarget } from './options.js';
import { debug } from '../node/diagnostics.js';
import { ERR_INVALID_ADDRESS_FAMILY, ERR_INVALID_IP_ADDRESS } from '../errors/errors.js';
import { validateListener } from '../errors/validators.js';
import { kindError, prepareHandle } from './handle.js';
import { dns } from '../node/modules.js';
import { SerialAttempts } from './serial.js';
import { connectTo } from './single.js';
import { type SocketCore, kState } from '../stream/state.js';
import { noteActivity } from '../stream/timeout.js';
import { nextTick } from '../node/timers.js';

/** An answer of `lookup`. */
interface Address {
  address: string;
  family: 4 | 6;
}

/** @throws for options without a target, and what is no listener; the socket is unchanged then */
export function connectSocket(
  socket: SocketCore,
  options: SocketConnectOptions,
  listener: ConnectListener | null,
): void {
  validateListener(listener);
  const target = readTarget(options, boundTo(socket));
  prepareHandle(socket, target.path !== undefined);
  const error = kindError(socket, target);
  if (error) {
    socket.destroy(error);
    return;
  }
  if (listener !== null) socket.once('connect', listener);
  noteActivity(socket);
  socket.connecting = true;
  const isCurrent = currentConnect(socket);
  if (target.path !== undefined) connectTo(socket, pathTarget(target.path), isCurrent);
  else resolveTarget(socket, target, isCurrent);
}

function boundTo(socket: SocketCore): Bound {
  // A closed socket has lost its bound address.
  if (!socket[kState].bound || socket.destroyed) return undefined;
  return socket[kState].handle?.kind === 'PIPE' ? 'path' : 'address';
}

// For callbacks that may arrive after the socket was destroyed, and even after another `connect`.
function currentConnect(socket: SocketCore): () => boolean {
  const state = socket[kState];
  const { life } = state;
  return () => socket.connecting && state.life === life;
}

function pathTarget(path: string): Target {
  return { address: path, port: undefined, family: undefined, localAddress: undefined, localPort: undefined };
}

function targetAt(target: TcpTarget, { address, family }: Address): Target {
  return { address, family, port: target.port, localAddress: target.localAddress, localPort: target.localPort };
}

function resolveTarget(socket: SocketCore, target: TcpTarget, isCurrent: () => boolean): void {
  const family = isIP(target.host);
  if (family === 0) {
    lookUp(socket, target, isCurrent);
    return;
  }
  const open = (): void => {
    if (isCurrent()) connectTo(socket, targetAt(target, { address: target.host, family }), isCurrent);
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
  debug('connect: find host', host);
  debug('connect: dns options', options);
  if (anyFamily && target.autoSelectFamily && target.localAddress === undefined) {
    debug('connect: autodetecting');
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
    connectTo(socket, targetAt(target, { address: address as string, family: found as 4 | 6 }), isCurrent);
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
    debug('connect/multiple: only one address found, switching back to single connection');
    connectTo(socket, targetAt(target, first), isCurrent);
    return;
  }
  debug('connect/multiple: will try the following addresses', found);
  const targets = found.map((address) => targetAt(target, address));
  new SerialAttempts(socket, targets, target.attemptTimeout, isCurrent).tryNext();
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
