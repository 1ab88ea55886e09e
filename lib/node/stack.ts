// How much of its stack a program shows. Tools that say what keeps a process alive note the stack when an async resource is
// made, and V8 keeps its first 10 lines. A handle of Node's is made in native code, a few lines below the program. One of
// this package's is an object of several classes, whose constructors alone would fill the list.

/** The lines between a program that calls `listen` or `connect` and the `init` hooks, beyond those that Node has. */
const OWN_LINES = 12;

/**
 * Calls `make` with room for the lines of this package in the stacks that it causes, so that those of the program are not
 * cut off. A program that has frozen `Error`, or has set another kind of limit, keeps what it has.
 */
export function withRoomInStacks<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  if (!(stackTraceLimit > 0)) return make();
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit + OWN_LINES);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
