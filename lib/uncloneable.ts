// What belongs to one thread cannot be cloned: `structuredClone()` and `postMessage()` say so instead of giving an empty
// object. Node has had a public mark for that since 22.10.
import * as threads from 'node:worker_threads';

const { markAsUncloneable } = threads as { markAsUncloneable?: (value: object) => void };

export function refuseCloning(value: object): void {
  markAsUncloneable?.(value);
}
