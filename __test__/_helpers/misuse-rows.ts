// Wrong calls as data, one a row, so that they can be compared, and also run where there is no test runner.
import type { Net } from './implementations.js';

export interface Row {
  /** The wrong call. It leaves nothing behind that has to be destroyed, unless it returns that. */
  call: (net: Net) => unknown;
  /** The outcome on Node 26, where an older Node has another. */
  node26?: string;
}

export type Rows = Record<string, Row['call'] | Row>;

/** What a wrong call may give back that has to be put away. */
export interface Disposable {
  on?: (event: 'error', listener: (error: unknown) => void) => void;
  destroy?: () => void;
  close?: () => void;
}

/** The call of a row in either form. */
export function callOf(row: Rows[string]): Row['call'] {
  return typeof row === 'function' ? row : row.call;
}

/** The outcome of a call that throws an error of misuse. */
export function misused(type: 'TypeError' | 'RangeError' | 'Error', code: string, message: string): string {
  return `threw ${type}[code=${code}] ${JSON.stringify(message)} (code) titled ${type} [${code}]`;
}
