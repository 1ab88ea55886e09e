/**
 * One a thread: takes the reactor's deliveries and hands each to its handle; keeps the event loop alive exactly as
 * long as libuv would.
 *
 * The call goes up to the handles while the import points down: handles register a `Receiver`.
 */
import { Buffer } from 'node:buffer';
import { setImmediate as loadedSetImmediate } from 'node:timers';

import { Reactor } from './binding.js';
import { type ChunkForm, Driver, EventKind, HostLoop, NO_SLOT, Operation, SLOTS } from './numbers.js';

/** What a handle hears of. */
export type HandleEvent = Exclude<EventKind, typeof EventKind.FewData | typeof EventKind.Closing>;

/** What a handle hears of the reactor. Each call comes in a turn of its own: ticks and promise jobs run after it. */
export interface Receiver {
  /**
   * `value`: 0 or a negative libuv error; of a connection, its id; of data, its length. `chunk`: bytes that belong to
   * JavaScript.
   */
  onevent(kind: HandleEvent, value: number, chunk: Buffer | undefined): void;
}

/** What closes, and hears when libuv would have closed it. */
export interface Closing {
  /** The closing phase has come. Whoever ends something now asks for turns, the last one by `inLastTurn`. */
  onclosing(): void;
}

/** Names no handle; for a turn that belongs to none. */
const NO_HANDLE = -1;

// Where the loop is not libuv's. Bound before a test replaces it.
const setImmediate: typeof loadedSetImmediate = loadedSetImmediate;

type Dispatch = ConstructorParameters<typeof Reactor>[0];

let started: Reactor | undefined;
/** By the slot of their ids: no two handles that live at the same time have one. */
const receivers: (Receiver | undefined)[] = [];
/** What the coming `Closed` deliveries of no handle run, in their order. */
const turns: (() => void)[] = [];
/** What was closed in this turn of the loop. */
let closing: Closing[] = [];
/** Reasons for the event loop to stay alive. */
let loopRefs = 0;

function dispatch(kind: EventKind, slot: number, value: number, chunk: Buffer | ArrayBuffer | undefined): void {
  if (kind === EventKind.FewData) receivers[slot]?.onevent(EventKind.Data, value, Buffer.from(chunk as ArrayBuffer));
  else if (kind === EventKind.Closed) runTurn(slot);
  else if (kind === EventKind.Closing) closeAll();
  else receivers[slot]?.onevent(kind, value, chunk as Buffer | undefined);
}

/** A turn in the closing phase: of no handle in particular, or the last one of the handle that has the slot. */
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

/** Bun even has libuv's functions, which abort. */
function host(): HostLoop {
  const { bun, deno, electron } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined || deno !== undefined) return HostLoop.Foreign;
  return electron === undefined ? HostLoop.Libuv : HostLoop.EmbeddedLibuv;
}

/**
 * Deno tells several events in one go, and comes to ticks and promise jobs after all of them. Between immediates it runs
 * them as Node does, so there each event is told in an immediate.
 */
const later: (() => void) | undefined =
  process.versions['deno'] === undefined ? undefined : () => void setImmediate(deliver);

function deliver(): void {
  started?.deliver();
}

/** Who turns the reactor: `FERRONET_DRIVER`, read once. */
function driver(): Driver {
  switch (process.env['FERRONET_DRIVER']) {
    case 'thread':
      return Driver.Thread;
    case 'loop':
      return Driver.Loop;
    default:
      return Driver.Auto;
  }
}

/** How many threads share the connections: `FERRONET_THREADS`, 1 to 64, read once. Whatever else it says is 1. */
function threads(): number {
  const text = process.env['FERRONET_THREADS'] ?? '';
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 1;
  return count >= 1 && count <= 64 ? count : 1;
}

/** The reactor of this thread; its own threads start with the first handle, not with `require`. */
export function reactor(): Reactor {
  // The addon's typings know of the kinds only that they are numbers.
  return (started ??= new Reactor(dispatch as Dispatch, host(), driver(), threads(), later));
}

let controller: ReturnType<Reactor['control']> | undefined;

/** What every connection needs, at a lower price than the reactor's methods have. Answers 0 or a negative libuv error. */
export function control(operation: Operation, id: number, flag = 0): number {
  return (controller ??= reactor().control())(operation, id, flag);
}

let writer: ReturnType<Reactor['writer']> | undefined;

/**
 * Sends a chunk to a handle. Answers twice the number of bytes, plus 1 if the kernel has not taken them all; or a negative
 * libuv error, and nothing was taken.
 */
export function send(id: number, chunk: Uint8Array | string, form: ChunkForm): number {
  return (writer ??= reactor().writer())(id, chunk, form);
}

/** Sends the deliveries of a handle to its receiver, until its last one. */
export function register(id: number, receiver: Receiver): void {
  receivers[slotOf(id)] = receiver;
}

/** Who gets the deliveries of a handle. */
export function receiverOf(id: number): Receiver | undefined {
  return receivers[slotOf(id)];
}

/** Keeps the event loop alive until `release`. Pairs are counted. */
export function refLoop(): void {
  if (loopRefs++ === 0) reactor().setRef(true);
}

export function unrefLoop(): void {
  if (--loopRefs === 0) reactor().setRef(false);
}

/**
 * Tells `what` when libuv has its closing callbacks: after the immediates of this turn of the loop, what was closed last
 * first. Hold the loop meanwhile.
 */
export function atClosing(what: Closing): void {
  if (closing.length === 0 && !reactor().atClosing()) setImmediate(closeAll);
  closing.push(what);
}

function closeAll(): void {
  const closed = closing;
  closing = [];
  for (const each of closed.reverse()) each.onclosing();
}

/** While closing: runs `turn` in a turn of its own, behind those that were asked for before. */
export function inOwnTurn(turn: () => void): void {
  turns.push(turn);
  control(Operation.TellClosed, NO_HANDLE);
}

/** Runs `run` in a turn of its own at the end of this turn of the loop, which stays alive until then. */
export function inLaterTurn(run: () => void): void {
  refLoop();
  const turn = (): void => {
    unrefLoop();
    run();
  };
  atClosing({ onclosing: () => inOwnTurn(turn) });
}

/** As `inOwnTurn`, as the last one of a closed handle: a `Closed` event for its receiver. Its id means nothing any more. */
export function inLastTurn(id: number, receiver: Receiver): void {
  if (id < 0) inOwnTurn(() => receiver.onevent(EventKind.Closed, 0, undefined));
  else control(Operation.TellClosed, id);
}
