// Defining properties when `Object.prototype` may have grown `get`, `set`, `value` or the like: a descriptor that is an
// ordinary object inherits them.

/**
 * `Object.defineProperty` with the own properties of `descriptor` only.
 *
 * @throws TypeError where `Object.defineProperty` does
 */
export function define<T extends object>(object: T, key: PropertyKey, descriptor: PropertyDescriptor): T {
  return Object.defineProperty(object, key, Object.assign(Object.create(null) as PropertyDescriptor, descriptor));
}
