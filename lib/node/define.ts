// A property descriptor with a prototype inherits `get`, `set` or `value` from `Object.prototype`, if a program or a package
// has defined a property of that name there.

/**
 * `Object.defineProperty` with the own properties of `descriptor` only.
 *
 * @throws TypeError where `Object.defineProperty` does
 */
export function define<T extends object>(object: T, key: PropertyKey, descriptor: PropertyDescriptor): T {
  return Object.defineProperty(object, key, Object.assign(Object.create(null) as PropertyDescriptor, descriptor));
}
