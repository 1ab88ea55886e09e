// The defaults for connecting to a name with several addresses. They are initialized from node:net, so that
// `--no-network-family-autoselection` and `--network-family-autoselection-attempt-timeout` apply here too. Setting them does
// not change node:net's.
import { nodeNet } from '../node/modules.js';
import { validateBoolean, validateInt32 } from '../errors/validators.js';

// Milliseconds. A shorter attempt would end before a handshake on a healthy network.
const SHORTEST_ATTEMPT = 10;

const net = nodeNet();

let autoSelectFamily: boolean = net.getDefaultAutoSelectFamily?.() ?? true;
let attemptTimeout: number = net.getDefaultAutoSelectFamilyAttemptTimeout?.() ?? 250;

/** Whether `connect` tries all addresses of a name, of both families, unless its options say otherwise. */
export function getDefaultAutoSelectFamily(): boolean {
  return autoSelectFamily;
}

/** @throws TypeError ERR_INVALID_ARG_TYPE unless `value` is a boolean */
export function setDefaultAutoSelectFamily(value: boolean): void {
  validateBoolean(value, 'value');
  autoSelectFamily = value;
}

/** Milliseconds before the next address is tried, unless the options of `connect` say otherwise. */
export function getDefaultAutoSelectFamilyAttemptTimeout(): number {
  return attemptTimeout;
}

/**
 * @param value milliseconds, an integer from 1; less than 10 counts as 10
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 */
export function setDefaultAutoSelectFamilyAttemptTimeout(value: number): void {
  validateInt32(value, 'value', 1);
  attemptTimeout = attemptTimeoutFloor(value);
}

/** At least the shortest time that Node allows for an attempt. */
export function attemptTimeoutFloor(msecs: number): number {
  return Math.max(msecs, SHORTEST_ATTEMPT);
}
