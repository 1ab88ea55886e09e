// How values look in a log: errors with everything a program could test for, buffers by length, sockets by name.
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';

import { isNode } from './implementations.js';

const FIELDS = [
  'code',
  'errno',
  'syscall',
  'address',
  'port',
  'hostname',
  'localAddress',
  'localPort',
  'host',
] as const;

type Described = Error & Partial<Record<(typeof FIELDS)[number], unknown>> & { errors?: unknown[] };

// `text` without the message behind it, or all of it, quoted, where the message does not stand there.
function title(text: string, message: string): string {
  const tail = `: ${message}`;
  return text.endsWith(tail) ? text.slice(0, -tail.length) : JSON.stringify(text);
}

/** How toString() and the head of the stack begin, where it is not with the name alone. Other engines have ways of their own. */
function describeTitles(error: Error): string {
  if (!isNode) return '';
  const stack = error.stack ?? '';
  const printed = title(String(error), error.message);
  const headed = title(stack.slice(0, stack.indexOf('\n    at ')), error.message);
  if (printed !== headed) return ` printed ${printed} headed ${headed}`;
  return printed === error.name ? '' : ` titled ${printed}`;
}

const TITLE = '(?:"(?:[^"\\\\]|\\\\.)*"|\\w+(?: \\[\\w+\\])?)';
const TITLES = new RegExp(` titled ${TITLE}| printed ${TITLE} headed ${TITLE}`, 'g');

/** What is expected of an error, for the engine that runs: elsewhere than in Node without its titles. */
export function expectedHere(description: string): string {
  return isNode ? description : description.replaceAll(TITLES, '');
}

/**
 * Class, fields, message, the order of the own keys, and how it is printed where that is not by its name alone:
 * `Error[code=EPIPE errno=-32 …] "write EPIPE" (errno,code,…)`.
 */
export function describeError(value: unknown): string {
  if (!(value instanceof Error)) return `not an Error: ${describe(value)}`;
  const error: Described = value;
  const fields = FIELDS.filter((field) => error[field] !== undefined).map(
    (field) => `${field}=${String(error[field])}`,
  );
  const name = error.constructor.name === error.name ? error.name : `${error.constructor.name}/${error.name}`;
  const keys = Object.keys(error).join(',');
  const nested = error.errors ? ` of [${error.errors.map(describeError).join('; ')}]` : '';
  return `${name}[${fields.join(' ')}] ${JSON.stringify(error.message)} (${keys})${nested}${describeTitles(error)}`;
}

export function describe(value: unknown): string {
  if (value instanceof Error) return describeError(value);
  if (value instanceof Duplex) return 'Socket';
  if (value instanceof Uint8Array) return `Buffer(${value.length})`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

interface State {
  readyState?: string;
  connecting?: boolean;
  pending?: boolean;
  destroyed?: boolean;
  readableEnded?: boolean;
  writableEnded?: boolean;
  writableFinished?: boolean;
}

/** The state of a socket: `{open}`, `{closed pending destroyed}` … */
export function describeState(socket: State): string {
  const flags = (
    ['connecting', 'pending', 'destroyed', 'readableEnded', 'writableEnded', 'writableFinished'] as const
  ).filter((flag) => socket[flag]);
  return `{${[socket.readyState, ...flags].join(' ')}}`;
}

/** Ports that the system chose: of any address in parentheses or field that names a local or remote end. */
export function withoutChosenPorts(line: string): string {
  return line
    .replace(/Local \((.*?):(\d+)\)/g, (whole, address: string, port: string) =>
      isIP(address) && port !== '0' ? `Local (${address}:CHOSEN)` : whole,
    )
    .replace(/((?:local|remote)Port"?[=:])\d+/g, '$1CHOSEN');
}
