// Normalizes the arguments of `connect` and `listen` to an options object and a listener.
import { nodeNet } from './modules.js';

type Listener = () => void;

/** Normalized arguments. They carry a mark, so that they are not normalized again. */
export type NormalizedArguments = [options: Record<string, unknown>, listener: Listener | null];

// The mark is Node's own symbol: http agents and tls hand arrays that node:net normalized to `socket.connect()`.
const { _normalizeArgs } = nodeNet() as { _normalizeArgs?: (args: unknown[]) => object };
const mark: symbol = Object.getOwnPropertySymbols(_normalizeArgs?.([]) ?? [])[0] ?? Symbol('normalizedArgs');

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The non-negative number that `value` can be read as, or false. */
export function toNumber(value: unknown): number | false {
  const number = Number(value);
  return number >= 0 && number;
}

/** Any string that is not a port is a path. */
export function isPipeName(value: unknown): value is string {
  return typeof value === 'string' && toNumber(value) === false;
}

function optionsFrom(args: readonly unknown[]): Record<string, unknown> {
  if (args.length === 0) return {};
  const { 0: first, 1: second } = args;
  if (isObject(first)) return first;
  if (isPipeName(first)) return { path: first };
  return typeof second === 'string' ? { port: first, host: second } : { port: first };
}

/** `(options)`, `(path)` or `(port, host)`, each with a callback as the last argument or without. */
export function normalizeArguments(args: readonly unknown[]): NormalizedArguments {
  const last = args.at(-1);
  const normalized: NormalizedArguments = [optionsFrom(args), typeof last === 'function' ? (last as Listener) : null];
  (normalized as unknown as Record<symbol, unknown>)[mark] = true;
  return normalized;
}

/** As `normalizeArguments`, unless the only argument is what that or `net._normalizeArgs` returned. */
export function normalizeOnce(args: readonly unknown[]): NormalizedArguments {
  const first = args[0];
  if (Array.isArray(first) && mark in first) return first as unknown as NormalizedArguments;
  return normalizeArguments(args);
}
