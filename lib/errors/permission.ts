// Node's permission model. A native addon is outside of its reach, so what `--permission` without `--allow-net` forbids to
// node:net is asked for and refused here.
import { accessDenied, type NetError } from './errors.js';

let known: boolean | undefined;

function isDenied(resource: string): boolean {
  const { permission } = process as { permission?: { has: (scope: string, reference: string | undefined) => boolean } };
  if (permission === undefined) return false;
  // A Node without the "net" scope answers false to the question, although it allows it. Which Nodes have it takes
  // milliseconds to find out, so nobody else asks.
  known ??= process.allowedNodeEnvironmentFlags.has('--allow-net');
  // Asked for nothing in particular, Node says no to everybody.
  return known && !permission.has('net', resource || undefined);
}

const REFUSAL = 'Access to this API has been restricted. Use --allow-net to manage permissions.';

/** The error of a connection that may not be made, `undefined` when it may. */
export function connectDenial(address: string, port?: number): NetError | undefined {
  if (!isDenied(address)) return undefined;
  const error = accessDenied(`connect ERR_ACCESS_DENIED ${REFUSAL}`, address, connectDenial);
  error.syscall = 'connect';
  error.address = address;
  if (port) error.port = port;
  return error;
}

/**
 * Node names the path that is refused, and no address.
 *
 * @throws Error ERR_ACCESS_DENIED when nothing may be bound to this path, or to an address if there is none
 */
export function checkBindAllowed(path = ''): void {
  if (isDenied(path)) throw accessDenied(REFUSAL, path, checkBindAllowed);
}
