// The async resources of handles and requests end when Node's do: a handle's when it has closed, a request's when it has
// ended. Left to itself, an `AsyncResource` ends with the garbage collector.
import type { AsyncResourceOptions } from 'node:async_hooks';

// Without a prototype: what is missing would be looked for on it. There is one, because `AsyncResource` reads it at once.
const options: AsyncResourceOptions = Object.assign(Object.create(null) as object, { requireManualDestroy: true });

/**
 * Options of a resource that will be told to `emitDestroy`. Valid until the next call.
 *
 * @param trigger the async id of what it was made for; default: that of the caller
 */
export function endedByHand(trigger?: number): AsyncResourceOptions {
  options.triggerAsyncId = trigger;
  return options;
}
