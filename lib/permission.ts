// Node's permission model. A native addon is outside of its reach, so what `--permission` without `--allow-net` forbids to
// node:net is asked for and refused here.
import { ERR_ACCESS_DENIED, type NetError } from './errors.js';

// A Node without the "net" scope answers false to the question, although it allows it.
const known = process.allowedNodeEnvironmentFlags.has('--allow-net');

function isDenied(resource: string): boolean {
  const { permission } = process as { permission?: { has: (scope: string, reference?: string) => boolean } };
  return known && permission !== undefined && !permission.has('net', resource);
}

const REFUSAL = 'Access to this API has been restricted. Use --allow-net to manage permissions.';

/** The error of a connection that may not be made, `undefined` when it may. */
export function connectDenial(address: string, port?: number): NetError | undefined {
  if (!isDenied(address)) return undefined;
  const error = new ERR_ACCESS_DENIED(`connect ERR_ACCESS_DENIED ${REFUSAL}`, 'Net', address);
  error.syscall = 'connect';
  error.address = address;
  if (port) error.port = port;
  return error;
}

/** @throws Error ERR_ACCESS_DENIED when nothing may listen on `address` */
export function checkListenAllowed(address: string | null): void {
  if (isDenied(address ?? '')) throw new ERR_ACCESS_DENIED(REFUSAL, 'Net', address ?? '');
}
