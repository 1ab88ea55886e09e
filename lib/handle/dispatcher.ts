/**
 * Hands each event of the thread's reactor to its handle, and keeps the event loop alive exactly as long as libuv would.
 *
 * Handles import this module and register themselves as a `Receiver`, so it does not import them.
 */
import { Buffer } from 'node:buffer';
import { setImmediate as loadedSetImmediate } from 'node:timers';

import type { Accepted } from './accepted.js';
import { Reactor } from './binding.js';
import { type ChunkForm, Driver, EventKind, HostLoop, KIND_BITS, NO_SLOT, Operation, SLOTS } from './numbers.js';
import type { TcpOptions } from './options.js';
import { driverSetting, threadsSetting } from '../node/settings.js';

/** Events of handles. */
export type HandleEvent = Exclude<EventKind, typeof EventKind.FewData | typeof EventKind.Closing>;

/** Receives the events of a handle. Each call is a turn of its own: ticks and promise jobs run after it. */
export interface Receiver {
  /**
   * `value`: 0 or a negative libuv error; of a connection, its id; of data, its length. `chunk`: bytes that belong to
   * JavaScript.
   */
  onevent(kind: HandleEvent, value: number, chunk: Buffer | undefined): void;
}

/** Something that is closing, and is called when libuv would run its closing callback. */
export interface Closing {
  /** The closing phase has come. Callbacks are run by `inOwnTurn`, the last one by `inLastTurn`. */
  onclosing(): void;
}

/** The id of no handle, for a turn that belongs to none. */
const NO_HANDLE = -1;

// Used where the loop is not libuv's. Saved before fake timers can replace it.
const setImmediate: typeof loadedSetImmediate = loadedSetImmediate;

type Dispatch = ConstructorParameters<typeof Reactor>[0];

let started: Reactor | undefined;
/** By the slot of their ids, which is unique among live handles. */
const receivers: (Receiver | undefined)[] = [];
/** Callbacks for the coming `Closed` events without a handle, in order. */
const turns: (() => void)[] = [];
/** Closed in this turn of the loop. */
let closing: Closing[] = [];
/** How many calls of `refLoop` have no `unrefLoop` yet. */
let loopRefs = 0;

const KIND_MASK = (1 << KIND_BITS) - 1;

/** The class of Node's Buffers: `Buffer.from` looks at its argument first. Elsewhere it may be another one. */
const FastBuffer = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species] as
  (new (memory: ArrayBuffer) => Buffer) | undefined;
const hasFastBuffer: boolean = FastBuffer !== Buffer && FastBuffer?.prototype === Buffer.prototype;

function bufferOf(memory: ArrayBuffer): Buffer {
  return hasFastBuffer ? new (FastBuffer as NonNullable<typeof FastBuffer>)(memory) : Buffer.from(memory);
}

function dispatch(event: number, value: number, chunk?: Buffer | ArrayBuffer): void {
  const kind = (event & KIND_MASK) as EventKind;
  const slot = event >> KIND_BITS;
  if (kind === EventKind.FewData) receivers[slot]?.onevent(EventKind.Data, value, bufferOf(chunk as ArrayBuffer));
  else if (kind === EventKind.Closed) runTurn(slot);
  else if (kind === EventKind.Closing) closeAll();
  else receivers[slot]?.onevent(kind, value, chunk as Buffer | undefined);
}

/** Runs ticks and promise jobs, as Node does between two timers. */
const runTicks: unknown = (process as unknown as Record<string, unknown>)['_tickCallback'];

function dispatchOneOfMany(event: number, value: number, chunk?: Buffer | ArrayBuffer): void {
  dispatch(event, value, chunk);
  (runTicks as () => void)();
}

/**
 * The dispatcher is also the async resource of the callbacks. This is what tools ask of one: it does not keep the loop alive,
 * handles do.
 */
dispatch.hasRef = (): boolean => false;

/** A turn of the closing phase: the next of `turns`, or the last one of the handle with this slot. */
function runTurn(slot: number): void {
  if (slot === NO_SLOT) {
    turns.shift()?.();
    return;
  }
  const receiver = receivers[slot];
  receivers[slot] = undefined;
  receiver?.onevent(EventKind.Closed, 0, undefined);
}

function slotOf(id: number): number {
  return id % SLOTS;
}

/** Bun has libuv's functions, but they abort. */
function host(): HostLoop {
  const { bun, deno, electron } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined || deno !== undefined) return HostLoop.Foreign;
  return electron === undefined ? HostLoop.Libuv : HostLoop.EmbeddedLibuv;
}

/**
 * Deno delivers several events at once, and runs ticks and promise jobs after all of them. Between immediates it runs them
 * as Node does, so there each event is delivered in an immediate.
 */
const later: (() => void) | undefined =
  process.versions['deno'] === undefined ? undefined : () => void setImmediate(deliver);

function deliver(): void {
  started?.deliver();
}

const drivers: Readonly<Record<ReturnType<typeof driverSetting>, Driver>> = {
  auto: Driver.Auto,
  loop: Driver.Loop,
  thread: Driver.Thread,
};

/** The reactor of this thread. The reactor's own threads start with the first handle, not with `require`. */
export function reactor(): Reactor {
  // In the addon's typings, kinds are plain numbers.
  return (started ??= new Reactor(
    dispatch as Dispatch,
    host(),
    drivers[driverSetting()],
    threadsSetting(),
    later,
    typeof runTicks === 'function' ? dispatchOneOfMany : undefined,
  ));
}

let controller: ReturnType<Reactor['control']> | undefined;

/** Operations of every connection, as a plain function that costs less than a method. Returns 0 or a negative libuv error. */
export function control(operation: Operation, id: number, flag = 0): number {
  return (controller ??= reactor().control())(operation, id, flag);
}

let opener: ReturnType<Reactor['opener']> | undefined;

/** A TCP socket with options: its id, or a negative libuv error. A plain function as well. */
export function openTcp(ipv6: boolean, options: TcpOptions | undefined): number {
  return (opener ??= reactor().opener())(Number(ipv6), options);
}

let writer: ReturnType<Reactor['writer']> | undefined;

/** Writes bytes to a handle. Returns undefined if all of them were accepted, and no `Wrote` event will follow. */
export function sendBytes(id: number, bytes: Uint8Array): Accepted | undefined {
  return (writer ??= reactor().writer())(id, bytes);
}

/** Writes a chunk to a handle. */
export function send(id: number, chunk: Uint8Array | string, form: ChunkForm): Accepted {
  return (writer ??= reactor().writer())(id, chunk, form);
}

/** Delivers the events of a handle to `receiver`, until the last one. */
export function register(id: number, receiver: Receiver): void {
  receivers[slotOf(id)] = receiver;
}

/** The receiver of the events of a handle. */
export function receiverOf(id: number): Receiver | undefined {
  return receivers[slotOf(id)];
}

/** Keeps the event loop alive until `unrefLoop`. Calls are counted. */
export function refLoop(): void {
  if (loopRefs++ === 0) reactor().setRef(true);
}

export function unrefLoop(): void {
  if (--loopRefs === 0) reactor().setRef(false);
}

/**
 * Calls `what.onclosing` when libuv runs closing callbacks: after the immediates of this turn of the loop, in the reverse
 * order of closing. The caller has to keep the loop alive until then.
 */
export function atClosing(what: Closing): void {
  if (closing.length === 0 && control(Operation.AtClosing, NO_HANDLE) < 0) setImmediate(closeAll);
  closing.push(what);
}

function closeAll(): void {
  const closed = closing;
  closing = [];
  for (const each of closed.reverse()) each.onclosing();
}

/** In the closing phase: runs `turn` in a turn of its own, behind those requested before. */
export function inOwnTurn(turn: () => void): void {
  turns.push(turn);
  control(Operation.ReportClosed, NO_HANDLE);
}

/** Runs `run` in a turn of its own at the end of this turn of the loop, and keeps the loop alive until then. */
export function inLaterTurn(run: () => void): void {
  refLoop();
  const turn = (): void => {
    unrefLoop();
    run();
  };
  atClosing({ onclosing: () => inOwnTurn(turn) });
}

/** The last turn of a closed handle: a `Closed` event for its receiver. The id is invalid from then on. */
export function inLastTurn(id: number, receiver: Receiver): void {
  if (id < 0) inOwnTurn(() => receiver.onevent(EventKind.Closed, 0, undefined));
  else control(Operation.ReportClosed, id);
}
