/** Options that are not given: without a prototype, so that they have nothing, whatever a program adds to `Object.prototype`. */
export const EMPTY: Readonly<object> = Object.freeze(Object.create(null) as object);
