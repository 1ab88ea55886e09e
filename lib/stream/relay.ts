// The native relay: when both ends of a `pipe()` are sockets of ours and nobody looks at the data, the reactor moves it
// from one to the other, and JavaScript hears of the end only.
//
// Node's `pipe` sets up everything as ever, and what is piped goes through its listeners first. A relay takes over where
// the streams stand still with nothing in their buffers, and is given up before anybody could see a difference: each
// method that would look at the data, stop it or add to it ends the relay first and then does what it always does. The
// bytes that come after that go through the streams again, until the next pause.
import { StreamHandle } from '../handle/stream.js';
import { type Relay, type SocketCore, kState } from './state.js';
import { noteActivity } from './timeout.js';

/** Chunks that go through JavaScript before a relay begins: a connection that lives for one pays nothing. */
const CHUNKS_BEFORE = 2;
/** The most of them, for a pipe whose relay is given up again and again. */
const CHUNKS_AT_MOST = 1024;

/** What looks at the data of a source, or says when it flows. A listener of the user's must not miss any of it. */
const OBSERVING_EVENTS: ReadonlySet<unknown> = new Set(['data', 'readable', 'pause', 'resume']);

/** What Node calls the listener by which a pipe waits for its destination. */
const ONDRAIN = 'pipeOnDrainFunctionResult';

/** What a relay goes past, so that it must be ours and not a subclass's or a patch. */
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

const isSwitchedOff: boolean = process.env['FERRONET_RELAY'] === 'off';

/** The methods of the class itself. */
const originals = new Map<string, unknown>();

/** The parts of Node's stream states that say whether a stream stands still. They have been there since Node 15. */
interface States {
  _readableState: { pipes: readonly unknown[]; length: number; encoding?: unknown; decoder?: unknown };
  _writableState: { length: number; corked: number; needDrain: boolean };
}

/** The class has its methods: what is different from now on is not ours. */
export function rememberMethods(prototype: object): void {
  for (const name of BYPASSED_METHODS) originals.set(name, (prototype as Record<string, unknown>)[name]);
}

function isPlain(socket: SocketCore): boolean {
  const methods = socket as unknown as Record<string, unknown>;
  return BYPASSED_METHODS.every((name) => methods[name] === originals.get(name));
}

/** After Node's `pipe`: whether this one may become a relay. */
export function offerRelay(source: SocketCore, destination: unknown, goesOnAfterEnd: boolean): void {
  const state = source[kState];
  state.relayOut = null;
  if (isSwitchedOff || goesOnAfterEnd) return;
  if (!state.mayRelay || !isFerronetSocket(destination) || !destination[kState].mayRelay) return;
  const listeners = source.rawListeners('data');
  const ondata: unknown = listeners[listeners.length - 1];
  state.relayOut = { source, destination, ondata, ends: undefined, counted: 0, chunks: 0, wanted: CHUNKS_BEFORE };
}

function isFerronetSocket(stream: unknown): stream is SocketCore {
  return typeof stream === 'object' && stream !== null && kState in stream;
}

/** A chunk has come through JavaScript, or the end. */
export function noteReceived(relay: Relay): void {
  endRelay(relay);
  relay.chunks += 1;
}

/** The source has nothing to give for now: a relay may begin if everything stands still. */
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

/** Some put a handle of their own in its place. */
function isHandle(handle: unknown): handle is StreamHandle {
  return handle instanceof StreamHandle;
}

function mayBegin({ source, destination, ondata }: Relay): boolean {
  return (
    isUnobserved(source, ondata) &&
    stillReads(source, destination) &&
    stillWrites(destination) &&
    isPlain(source) &&
    isPlain(destination)
  );
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

/** Whether anybody but a pipe, which listens from its first wait on, wants to hear when there is room again. */
function hasDrainListener(destination: SocketCore): boolean {
  return destination.listeners('drain').some(({ name }) => name !== ONDRAIN);
}

/** Gives a relay up: when it returns, what arrives comes through JavaScript. */
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

/** Ends the relays that this socket is an end of. */
export function endRelays(socket: SocketCore): void {
  const state = socket[kState];
  endRelay(state.relayOut);
  endRelay(state.relayIn);
}

/** A listener comes or goes. */
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

/** Brings what the handles have counted up to date. */
export function countRelayed(socket: SocketCore): void {
  const { relayOut, relayIn } = socket[kState];
  for (const each of [relayOut, relayIn]) {
    if (each?.ends) count(each, ...each.ends, each.ends[0].relayed());
  }
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
