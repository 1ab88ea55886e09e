// Classes that can be called. Node's Socket and Server are functions, and programs rely on that: they call them without
// `new`, and on an object of their own (`net.Socket.call(this)` under `util.inherits`). A class allows neither. So the
// constructor here is a function, and the methods are written in a class body that is never constructed itself.

import { define } from './define.js';

type ConstructorFunction = (...args: never[]) => unknown;
type Body = abstract new (...args: never[]) => object;

/**
 * Makes `construct` the constructor of everything that `body` defines: same prototype, same parent class.
 *
 * Methods become enumerable, as those that Node assigns are. Accessors with a leading underscore stay hidden.
 */
export function callable<T>(construct: ConstructorFunction, body: Body): T {
  const prototype = body.prototype as object;
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
    if (descriptor === undefined || key === 'constructor') continue;
    const hidden = typeof key === 'symbol' || (Object.hasOwn(descriptor, 'get') && key.startsWith('_'));
    define(prototype, key, { ...descriptor, enumerable: !hidden });
  }
  define(prototype, 'constructor', { value: construct });
  define(construct, 'prototype', { value: prototype, writable: true });
  Object.setPrototypeOf(construct, Object.getPrototypeOf(body) as object);
  return construct as unknown as T;
}
