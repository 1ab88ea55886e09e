// What belongs to one thread cannot be cloned: `structuredClone()` and `postMessage()` say so instead of giving an empty
// object. Node has had a public mark for that since 22.10.
import { threads } from './node-modules.js';

export function refuseCloning(value: object): void {
  const { markAsUncloneable } = threads() as { markAsUncloneable?: (value: object) => void };
  markAsUncloneable?.(value);
}
