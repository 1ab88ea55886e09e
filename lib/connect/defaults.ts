// The two process-wide settings of connecting to a name with several addresses. They start as node:net's, so that
// `--no-network-family-autoselection` and `--network-family-autoselection-attempt-timeout` count here too, and are ours
// from then on: setting one does not set the other module's.
import { nodeNet } from '../node/modules.js';
import { validateBoolean, validateInt32 } from '../errors/validators.js';

// Below this an attempt would be given up before a handshake on a healthy network can end.
const SHORTEST_ATTEMPT = 10;

const net = nodeNet();

let autoSelectFamily: boolean = net.getDefaultAutoSelectFamily?.() ?? true;
let attemptTimeout: number = net.getDefaultAutoSelectFamilyAttemptTimeout?.() ?? 250;

/** Whether `connect` tries all addresses of a name, of both families, when its options do not say. */
export function getDefaultAutoSelectFamily(): boolean {
  return autoSelectFamily;
}

/** @throws TypeError ERR_INVALID_ARG_TYPE unless `value` is a boolean */
export function setDefaultAutoSelectFamily(value: boolean): void {
  validateBoolean(value, 'value');
  autoSelectFamily = value;
}

/** Milliseconds one address is given before the next is tried, when the options of `connect` do not say. */
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

/** The shortest time an attempt may be given, whoever asks for less. */
export function attemptTimeoutFloor(msecs: number): number {
  return Math.max(msecs, SHORTEST_ATTEMPT);
}
