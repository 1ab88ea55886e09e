/**
 * One a thread: takes the reactor's deliveries and hands each to its handle; keeps the event loop alive exactly as
 * long as libuv would.
 *
 * The call goes up to the handles while the import points down: handles register a `Receiver`.
 */
import { Reactor } from './binding.js';

/** What happened. `crates/binding/src/record.rs` has the same numbers. */
export const Kind = {
  Connected: 1,
  Data: 2,
  End: 3,
  Wrote: 4,
  ShutDown: 5,
  Connection: 6,
  Closed: 7,
} as const;

/** What a handle hears of the reactor. Each call comes in a turn of its own: ticks and promise jobs run after it. */
export interface Receiver {
  /** `value`: 0 or a negative libuv error; of a connection, its id. `chunk`: bytes that belong to JavaScript. */
  onevent(kind: number, value: number, chunk: Buffer | undefined): void;
}

/** Names no handle; for a turn that belongs to none. */
const NO_HANDLE = -1;

let started: Reactor | undefined;
const receivers: Map<number, Receiver> = new Map();
/** What the coming `Closed` deliveries run, in their order. */
const turns: (() => void)[] = [];
/** Reasons for the event loop to stay alive. */
let holds = 0;

function dispatch(kind: number, id: number, value: number, chunk: Buffer | undefined): void {
  if (kind === Kind.Closed) turns.shift()?.();
  else receivers.get(id)?.onevent(kind, value, chunk);
}

/** Others have a loop of their own kind; Bun even has libuv's functions, which abort. */
const hasLibuv: boolean = process.versions['bun'] === undefined && process.versions['deno'] === undefined;

/** The reactor of this thread; its own thread starts with the first handle, not with `require`. */
export function reactor(): Reactor {
  return (started ??= new Reactor(dispatch, hasLibuv));
}

/** Sends the deliveries of a handle to its receiver, until `unregister`. */
export function register(id: number, receiver: Receiver): void {
  receivers.set(id, receiver);
}

/** Keeps the event loop alive until `release`. Pairs are counted. */
export function hold(): void {
  if (holds++ === 0) reactor().setRef(true);
}

export function release(): void {
  if (--holds === 0) reactor().setRef(false);
}

/** Runs `turn` soon, in a turn of its own, behind every delivery that is on its way. Hold the loop meanwhile. */
export function inOwnTurn(turn: () => void): void {
  turns.push(turn);
  reactor().tellClosed(NO_HANDLE);
}

/** As `inOwnTurn`, as the last one of a closed handle: its id means nothing from then on. */
export function inLastTurn(id: number, turn: () => void): void {
  turns.push(() => {
    receivers.delete(id);
    turn();
  });
  reactor().tellClosed(id);
}
