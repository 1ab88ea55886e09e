/**
 * Makes ferronet's objects transferable by `postMessage` and `structuredClone`, nested anywhere in a message, as Node's own
 * sockets are. Node asks the object for the data to send in its place (`transfer`); the receiving side makes an empty object
 * and passes it that data (`receive`).
 *
 * Node does this for every object that it has marked as transferable. The symbols of the methods can be read from the
 * prototype of `AbortSignal`. `util.transferableAbortSignal` sets the mark on any object that has the `aborted` property of
 * a signal. Before Node 22 an object has to be constructed as transferable, which costs microseconds each, so sockets are
 * transferable there only in a thread that has loaded `worker_threads`.
 *
 * The receiving side looks the class up by name in a module of Node's. The name is registered in `util` and contains the
 * path of this copy of the package, because one copy cannot receive what another has sent. In a thread that has not loaded
 * this copy Node finds nothing and emits `messageerror`.
 */
import type Util from 'node:util';

import { define } from '../node/define.js';
import { nodeNet } from '../node/modules.js';

const util = require('node:util') as typeof Util;

/** What Node needs to know of a class. */
export interface Messaging<T extends object> {
  /**
   * Objects to transfer along with this one. Must not change anything: the message may still fail, by an exception of this
   * function or because of another value in it.
   */
  list: (value: T) => object[];
  /** Detaches the object and returns the data to send in its place: cloneable, apart from what `list` has returned. */
  transfer: (value: T) => object;
  /** Restores the object. `empty` has the prototype of the class and nothing else, or comes from `make`. */
  receive: (empty: T, data: object) => void;
  /** For a class whose objects only its constructor can make, which has to call `transferable`. */
  make?: () => T;
}

type Class = abstract new (...args: never[]) => object;

interface Registered {
  Class: Class;
  name: string;
  messaging: Messaging<object>;
}

/** Returns the object, now transferable, or before Node 22 a new one of the same prototype. */
type Mark = <T extends object>(value: T) => T;

interface Known {
  aborted: symbol;
  list: symbol;
  transfer: symbol;
  receive: symbol;
}

const registered: Registered[] = [];
let mark: Mark | undefined;

/** Registers a class whose constructor calls `transferable`. `name` is the class's. */
export function register<T extends object>(Class: Class, name: string, messaging: Messaging<T>): void {
  // Without a colon, which separates the module from the name.
  const place = `ferronet ${encodeURIComponent(__dirname)} ${name}`;
  registered.push({ Class, name: `util:${place}`, messaging: messaging as unknown as Messaging<object> });
  const Receiver = function Receiver(): object {
    return messaging.make?.() ?? (mark ??= prepare())(Object.create(Class.prototype as object) as object);
  };
  Receiver.prototype = Class.prototype;
  define(util, place, {
    get() {
      // Node looks the method up before it makes an object.
      mark ??= prepare();
      return Receiver;
    },
    configurable: true,
  });
}

/**
 * Called by constructors to make their object transferable. Before Node 22 the result is another object of the same
 * prototype. Only `new` can return that; an object constructed by a plain call stays as it is.
 */
export function transferable<T extends object>(value: T, isNew: boolean): T {
  return canMark() || (isNew && hasThreads()) ? (mark ??= prepare())(value) : value;
}

/** The base of a `class`, whose constructor cannot replace its object otherwise. Objects do not inherit from it. */
export const Transferable: new () => object = function Transferable(this: object): object {
  return transferable(this, true);
} as unknown as new () => object;

/** Whether Node can mark an existing object: since version 22. */
let marksInPlace: boolean | undefined;

function canMark(): boolean {
  return (marksInPlace ??= Number.parseInt(process.versions.node, 10) >= 22);
}

/** Before that, nothing can be sent to another thread. */
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
  return canMark() ? (util.transferableAbortSignal as unknown as Mark) : markByConstruction();
}

// In a realm such as jsdom's the global class is not Node's. Bun and Deno have none of these symbols.
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

/** Before Node 22 all transferable objects have this base class; `BlockList` is one of them. */
function markByConstruction(): Mark {
  const Base = Object.getPrototypeOf(nodeNet().BlockList) as (new () => object) & { name: string };
  if (Base.name !== 'JSTransferable') return (value) => value;
  // All objects share a hidden class this way. `Reflect.construct` with the class as `newTarget` would make one for each.
  return <T extends object>(value: T) => Object.setPrototypeOf(new Base(), Object.getPrototypeOf(value) as object) as T;
}
