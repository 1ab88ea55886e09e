// The native relay: when both ends of a `pipe()` are ferronet sockets and no listener observes the data, the reactor moves it
// from one to the other, and JavaScript is notified of the end only.
//
// Node's `pipe` sets up its listeners as always, and the first chunks pass through them. A relay begins when both streams are
// idle with empty buffers. It ends before a difference could be observed: each method that would read the data, stop it or
// add to it ends the relay first and then does what it always does. Later bytes pass through the streams again, until both
// are idle.
import { StreamHandle } from '../handle/stream.js';
import { isRelaySwitchedOff } from '../node/settings.js';
import { type Relay, type SocketCore, kState } from './state.js';
import { noteActivity } from './timeout.js';

/** Chunks that pass through JavaScript before a relay begins, so that a short connection does not pay for one. */
const CHUNKS_BEFORE = 2;
/** The upper limit of that number, which doubles each time a relay cannot begin. */
const CHUNKS_AT_MOST = 1024;

/** Events of a source by which a listener observes the data or its flow. */
const OBSERVING_EVENTS: ReadonlySet<unknown> = new Set(['data', 'readable', 'pause', 'resume']);

/** Node's name for the `drain` listener of a pipe. */
const ONDRAIN = 'pipeOnDrainFunctionResult';

/** Methods that a relay does not call. If a subclass or a patch has replaced one, there is no relay. */
const BYPASSED_METHODS = [
  'on',
  'addListener',
  'prependListener',
  'removeListener',
  'removeAllListeners',
  'emit',
  'pipe',
  'unpipe',
  'pause',
  'resume',
  'read',
  'push',
  'unshift',
  'setEncoding',
  'write',
  'end',
  'cork',
  'destroy',
  '_read',
  '_write',
  '_writev',
  '_writeGeneric',
  '_unrefTimer',
] as const;

const NO_BYTES = new Uint8Array(0);

const isSwitchedOff: boolean = isRelaySwitchedOff();

/** The methods of the class itself, by name. */
const originals = new Map<string, unknown>();

/** The fields of Node's stream states that say whether a stream is idle. Node has had them since version 15. */
interface States {
  _readableState: { pipes: readonly unknown[]; length: number; encoding?: unknown; decoder?: unknown };
  _writableState: { length: number; corked: number; needDrain: boolean };
}

/** Records the methods of the class, to recognize replaced ones later. */
export function rememberMethods(prototype: object): void {
  for (const name of BYPASSED_METHODS) originals.set(name, (prototype as Record<string, unknown>)[name]);
}

function hasOriginalMethods(socket: SocketCore): boolean {
  const methods = socket as unknown as Record<string, unknown>;
  return BYPASSED_METHODS.every((name) => methods[name] === originals.get(name));
}

/** Called after Node's `pipe`: prepares a relay if both ends allow one. */
export function offerRelay(source: SocketCore, destination: unknown, keepsOpen: boolean): void {
  const state = source[kState];
  state.relayOut = null;
  if (isSwitchedOff || keepsOpen) return;
  if (!state.mayRelay || !isFerronetSocket(destination) || !destination[kState].mayRelay) return;
  const listeners = source.rawListeners('data');
  const ondata: unknown = listeners[listeners.length - 1];
  state.relayOut = { source, destination, ondata, ends: undefined, counted: 0, chunks: 0, wanted: CHUNKS_BEFORE };
}

function isFerronetSocket(stream: unknown): stream is SocketCore {
  return typeof stream === 'object' && stream !== null && kState in stream;
}

/** A chunk, or the end, has arrived in JavaScript. */
export function noteReceived(relay: Relay): void {
  endRelay(relay);
  relay.chunks += 1;
}

/** The source has no data for now: begins a relay if both streams are idle. */
export function beginRelay(relay: Relay): void {
  if (relay.ends || relay.chunks < relay.wanted) return;
  relay.chunks = 0;
  const { source, destination } = relay;
  const { handle: from } = source[kState];
  const { handle: to } = destination[kState];
  if (!isHandle(from) || !isHandle(to) || !mayBegin(relay) || from.relay(to) < 0) {
    relay.wanted = Math.min(relay.wanted * 2, CHUNKS_AT_MOST);
    return;
  }
  relay.ends = [from, to];
  relay.counted = 0;
  destination[kState].relayIn = relay;
}

/** A program may have put a handle of its own in place of ferronet's. */
function isHandle(handle: unknown): handle is StreamHandle {
  return handle instanceof StreamHandle;
}

function mayBegin({ source, destination, ondata }: Relay): boolean {
  return (
    isUnobserved(source, ondata) &&
    stillReads(source, destination) &&
    stillWrites(destination) &&
    keepsLoop(source) &&
    keepsLoop(destination) &&
    hasOriginalMethods(source) &&
    hasOriginalMethods(destination)
  );
}

function keepsLoop({ [kState]: { handle } }: SocketCore): boolean {
  return handle instanceof StreamHandle && handle.hasRef();
}

function isUnobserved(source: SocketCore, ondata: unknown): boolean {
  return (
    source.listenerCount('data') === 1 &&
    source.rawListeners('data')[0] === ondata &&
    source.listenerCount('readable') === 0
  );
}

function stillReads(source: SocketCore, destination: SocketCore): boolean {
  const { pipes, length, encoding, decoder } = (source as unknown as States)._readableState;
  const { handle, reader } = source[kState];
  return (
    pipes.length === 1 &&
    pipes[0] === destination &&
    length === 0 &&
    !encoding &&
    !decoder &&
    source.readableFlowing === true &&
    !source.destroyed &&
    !source.connecting &&
    reader === null &&
    handle !== null &&
    handle.reading &&
    !handle.isGuarded &&
    source.listenerCount('pause') === 0 &&
    source.listenerCount('resume') === 0
  );
}

function stillWrites(destination: SocketCore): boolean {
  const { length, corked, needDrain } = (destination as unknown as States)._writableState;
  const { handle, relayIn } = destination[kState];
  return (
    length === 0 &&
    corked === 0 &&
    !needDrain &&
    destination.writable &&
    !destination.connecting &&
    relayIn === null &&
    handle !== null &&
    !hasDrainListener(destination)
  );
}

/** Whether there is a `drain` listener besides that of a pipe, which stays after its first wait. */
function hasDrainListener(destination: SocketCore): boolean {
  return destination.listeners('drain').some(({ name }) => name !== ONDRAIN);
}

/** After this, bytes that arrive pass through JavaScript again. */
export function endRelay(relay: Relay | null): void {
  if (!relay?.ends) return;
  const { 0: from, 1: to } = relay.ends;
  relay.ends = undefined;
  relay.chunks = 0;
  relay.destination[kState].relayIn = null;
  const idle = from.relayIdle();
  count(relay, from, to, from.stopRelay());
  for (const socket of new Set([relay.source, relay.destination])) {
    if (idle < (socket.timeout ?? 0)) noteActivity(socket);
  }
}

/**
 * A socket lets the process end while it is open: its relays stop, and pipes go through JavaScript, whose writes keep the
 * process alive until they are done. So does what a relay has queued.
 */
export function stopRelaysForUnref(socket: SocketCore): void {
  const { relayOut, relayIn } = socket[kState];
  for (const relay of [relayOut, relayIn]) {
    const to = relay?.ends?.[1];
    endRelay(relay);
    // Behind what the relay has queued.
    to?.write({ oncomplete() {} }, NO_BYTES);
  }
}

/** Ends the relays out of this socket and into it. */
export function endRelays(socket: SocketCore): void {
  const state = socket[kState];
  endRelay(state.relayOut);
  endRelay(state.relayIn);
}

/** A listener is about to be added or removed. */
export function noteListener(socket: SocketCore, event: unknown): void {
  const state = socket[kState];
  if (state === undefined) return;
  if (state.relayOut !== null && OBSERVING_EVENTS.has(event)) endRelay(state.relayOut);
  if (state.relayIn !== null && event === 'drain') endRelay(state.relayIn);
}

function count(relay: Relay, from: StreamHandle, to: StreamHandle, moved: number): void {
  const more = moved - relay.counted;
  relay.counted = moved;
  from.bytesRead += more;
  to.bytesWritten += more;
  relay.source[kState].relayed += more;
  relay.destination[kState].relayed += more;
}

/** Adds what relays have moved since the last call to the counters of the handles. */
export function countRelayed(socket: SocketCore): void {
  const { relayOut, relayIn } = socket[kState];
  for (const each of [relayOut, relayIn]) {
    if (each?.ends) count(each, ...each.ends, each.ends[0].relayed());
  }
}

/** Whether the reactor moves what the socket receives, or what is sent on it. */
export function isRelayed(socket: SocketCore): boolean {
  const { relayOut, relayIn } = socket[kState];
  return relayOut?.ends !== undefined || relayIn?.ends !== undefined;
}

/** For how many milliseconds the relays of a socket have moved nothing; `undefined` if it has none. */
export function relayIdle(socket: SocketCore): number | undefined {
  const { relayOut, relayIn } = socket[kState];
  let least: number | undefined;
  for (const each of [relayOut, relayIn]) {
    if (each?.ends) least = Math.min(least ?? Infinity, each.ends[0].relayIdle());
  }
  return least;
}
