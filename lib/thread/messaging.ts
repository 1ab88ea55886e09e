/**
 * How objects of ours are transferred by `postMessage` and `structuredClone`, nested anywhere in a message, as Node's own
 * sockets are: Node asks the object for what goes along instead of it (`transfer`), and on the other side makes an empty
 * object and gives it that (`receive`).
 *
 * Node does this for every object that bears its mark, and it has two public ways to it. The names of the methods stand on
 * the prototype of `AbortSignal`. The mark is put on by `util.transferableAbortSignal`, which takes anything for a signal
 * that knows whether it was aborted. Before Node 22 that function makes a new object instead: there an object must be
 * transferable from birth, which costs microseconds each, so sockets are so only in a thread that has loaded
 * `worker_threads`.
 *
 * The other side looks the class up in a module of Node's by its name: in `util`, as `ferronet` and the place of this copy
 * of the package, because one copy cannot take what another one has sent. In a thread that has not loaded it Node finds
 * nothing and emits `messageerror`.
 */
import type Util from 'node:util';

import { define } from '../node/define.js';
import { nodeNet } from '../node/modules.js';

const util = require('node:util') as typeof Util;

/** What Node needs to know of a class. */
export interface Messaging<T extends object> {
  /**
   * What else is handed over with the object. Nothing has happened yet, and nothing will if this throws or if something
   * else in the message cannot be sent.
   */
  list: (value: T) => object[];
  /** Gives the object away. Answers what goes instead, structured-cloneable but for what `list` has named. */
  transfer: (value: T) => object;
  /** Makes an object of it again. `empty` has the prototype of the class and nothing else, or is what `make` has made. */
  receive: (empty: T, data: object) => void;
  /** For a class whose objects only its constructor can make. It calls `transferable`. */
  make?: () => T;
}

type Class = abstract new (...args: never[]) => object;

interface Registered {
  Class: Class;
  name: string;
  messaging: Messaging<object>;
}

/** Makes an object transferable, or another one in its place. */
type Mark = <T extends object>(value: T) => T;

interface Known {
  aborted: symbol;
  list: symbol;
  transfer: symbol;
  receive: symbol;
}

const registered: Registered[] = [];
let mark: Mark | undefined;

/** Has objects of a class that call `transferable` transferred. `name` is the class's. */
export function register<T extends object>(Class: Class, name: string, messaging: Messaging<T>): void {
  // No colon: Node ends the name of the module there.
  const place = `ferronet ${encodeURIComponent(__dirname)} ${name}`;
  registered.push({ Class, name: `util:${place}`, messaging: messaging as unknown as Messaging<object> });
  const Receiver = function Receiver(): object {
    return messaging.make?.() ?? (mark ??= prepare())(Object.create(Class.prototype as object) as object);
  };
  Receiver.prototype = Class.prototype;
  define(util, place, {
    get() {
      // Node looks for the method before it makes an object.
      mark ??= prepare();
      return Receiver;
    },
    configurable: true,
  });
}

/**
 * Called by constructors: an object that can be transferred, if this Node has a way. Before Node 22 it is another one of
 * the same prototype, which only `new` can answer; what was called without it stays as it is.
 */
export function transferable<T extends object>(value: T, isNew: boolean): T {
  return isInPlace() || (isNew && hasThreads()) ? (mark ??= prepare())(value) : value;
}

/** The base of a `class`, whose constructor may not choose its object otherwise. Nothing is seen of it. */
export const Transferable: new () => object = function Transferable(this: object): object {
  return transferable(this, true);
} as unknown as new () => object;

/** Since Node 22. */
let inPlace: boolean | undefined;

function isInPlace(): boolean {
  return (inPlace ??= Number.parseInt(process.versions.node, 10) >= 22);
}

/** Nobody can send anything to another thread before. */
let threadsLoaded = false;
let modulesSeen = 0;

function hasThreads(): boolean {
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  if (threadsLoaded || moduleLoadList.length === modulesSeen) return threadsLoaded;
  modulesSeen = moduleLoadList.length;
  threadsLoaded = moduleLoadList.includes('NativeModule worker_threads');
  return threadsLoaded;
}

function prepare(): Mark {
  const known = readNames();
  if (known === undefined) return (value) => value;
  for (const each of registered) addMethods(each, known);
  return isInPlace() ? (util.transferableAbortSignal as unknown as Mark) : fromBirth();
}

// In a realm that imitates a browser the global class is not Node's. Bun and Deno have none of these symbols.
function readNames(): Known | undefined {
  const { AbortController: Controller } = globalThis as Partial<typeof globalThis>;
  const { transferableAbortController: make } = util as Partial<typeof util>;
  return (Controller && namesOf(new Controller().signal)) ?? (make && namesOf(make().signal));
}

function namesOf(signal: AbortSignal): Known | undefined {
  const names = (object: object, description: string): symbol | undefined =>
    Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
  const prototype = Object.getPrototypeOf(signal) as object;
  const aborted = names(signal, 'kAborted');
  const list = names(prototype, 'messaging_transfer_list_symbol');
  const transfer = names(prototype, 'messaging_transfer_symbol');
  const receive = names(prototype, 'messaging_deserialize_symbol');
  return aborted && list && transfer && receive ? { aborted, list, transfer, receive } : undefined;
}

function addMethods({ Class, name, messaging }: Registered, known: Known): void {
  const { list, transfer, receive } = messaging;
  const add = (symbol: symbol, value: unknown): void => {
    define(Class.prototype as object, symbol, { value, configurable: true });
  };
  add(known.aborted, false);
  add(known.list, function (this: object) {
    return list(this);
  });
  add(known.transfer, function (this: object) {
    return { data: transfer(this), deserializeInfo: name };
  });
  add(known.receive, function (this: object, data: object) {
    receive(this, data);
  });
}

/** The class below all that could be transferred then; a block list is one of them. */
function fromBirth(): Mark {
  const Base = Object.getPrototypeOf(nodeNet().BlockList) as (new () => object) & { name: string };
  if (Base.name !== 'JSTransferable') return (value) => value;
  // A hidden class that all share: `Reflect.construct` with the class as its target would make one for each object.
  return <T extends object>(value: T) => Object.setPrototypeOf(new Base(), Object.getPrototypeOf(value) as object) as T;
}
