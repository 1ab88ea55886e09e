// The async resources of handles and requests are destroyed when Node's are: a handle's when it has closed, a request's when
// it has completed. By default an `AsyncResource` is destroyed when it is garbage collected.
import type { AsyncResourceOptions } from 'node:async_hooks';

// Without a prototype, which may have properties of these names. Shared, because `AsyncResource` reads it at once.
const options: AsyncResourceOptions = Object.assign(Object.create(null) as object, { requireManualDestroy: true });

/**
 * Options of a resource whose owner calls `emitDestroy`. Valid until the next call.
 *
 * @param trigger the async id of what caused it; default: that of the current execution
 */
export function manualDestroy(trigger?: number): AsyncResourceOptions {
  options.triggerAsyncId = trigger;
  return options;
}
