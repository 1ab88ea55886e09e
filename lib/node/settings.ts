// The settings that the environment gives, as documented. A value that is not allowed counts as none. The first thread that
// reads it reports it, once, by a warning, and the workers that it starts afterwards do not report it again.
import { threads } from './modules.js';

/** The key under which workers inherit what was reported. */
const REPORTED = 'ferronet: reported settings';

function report(name: string, value: string, allowed: string): void {
  // Threads inherit this data, as they do the environment.
  const { getEnvironmentData, setEnvironmentData } = threads();
  const reported = String(getEnvironmentData(REPORTED) ?? '');
  if (reported.includes(`${name} `)) return;
  setEnvironmentData(REPORTED, `${reported}${name} `);
  process.emitWarning(`${name}=${value} is ignored: it may be ${allowed}`, 'FerronetWarning');
}

/** @returns undefined if the variable is not set, or empty */
function oneOf<Value extends string>(name: string, allowed: readonly Value[]): Value | undefined {
  const value = process.env[name];
  if (value === undefined || value === '') return undefined;
  const found = allowed.find((each) => each === value);
  if (found === undefined) report(name, value, allowed.join(' or '));
  return found;
}

/** `FERRONET_DRIVER`: what drives the reactor. By default the load decides. */
export function driverSetting(): 'auto' | 'loop' | 'thread' {
  return oneOf('FERRONET_DRIVER', ['loop', 'thread', 'auto'] as const) ?? 'auto';
}

const MOST_THREADS = 64;

/** `FERRONET_THREADS`: how many threads share the connections, 1 to 64. The default is 1. */
export function threadsSetting(): number {
  const text = process.env['FERRONET_THREADS'] ?? '';
  if (text === '') return 1;
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_THREADS) return count;
  report('FERRONET_THREADS', text, `a number from 1 to ${MOST_THREADS}`);
  return 1;
}

/** `FERRONET_RELAY`: `off` keeps pipes in JavaScript. The default is `on`. */
export function isRelaySwitchedOff(): boolean {
  return oneOf('FERRONET_RELAY', ['off', 'on'] as const) === 'off';
}
