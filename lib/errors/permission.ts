// Node's permission model. It cannot restrict a native addon, so what `--permission` without `--allow-net` forbids to
// node:net is checked here.
import { accessDenied, type NetError } from './errors.js';

let hasNetScope: boolean | undefined;

function isDenied(resource: string): boolean {
  const { permission } = process as { permission?: { has: (scope: string, reference: string | undefined) => boolean } };
  if (permission === undefined) return false;
  // A Node without the "net" scope returns false for it, although it allows everything. Finding out whether it has the scope
  // takes milliseconds, so that is done only under the permission model.
  hasNetScope ??= process.allowedNodeEnvironmentFlags.has('--allow-net');
  // Not with an empty string, for which Node always returns false.
  return hasNetScope && !permission.has('net', resource || undefined);
}

const REFUSAL = 'Access to this API has been restricted. Use --allow-net to manage permissions.';

/** The error of a connection that is not permitted; `undefined` if it is. */
export function connectDenial(address: string, port?: number): NetError | undefined {
  if (!isDenied(address)) return undefined;
  const error = accessDenied(`connect ERR_ACCESS_DENIED ${REFUSAL}`, address, connectDenial);
  error.syscall = 'connect';
  error.address = address;
  if (port) error.port = port;
  return error;
}

/**
 * Without a path: checks binding to any address, as Node's error does not name addresses.
 *
 * @throws Error ERR_ACCESS_DENIED if binding is not permitted
 */
export function checkBindAllowed(path = ''): void {
  if (isDenied(path)) throw accessDenied(REFUSAL, path, checkBindAllowed);
}
