// The line that says what goes on: rewritten in place on a terminal, and else printed when it has changed.
import { clearInterval, setInterval } from 'node:timers';

import { UsageError } from './command.js';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A number of bytes with three digits. */
export function bytesText(bytes: number): string {
  let number = bytes;
  let unit = 0;
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? number : number.toPrecision(3)} ${UNITS[unit]}`;
}

/**
 * Seconds between two lines.
 *
 * @throws UsageError
 */
export function readInterval(text: unknown): number {
  if (text === undefined) return 1;
  const seconds = Number(text);
  // What timers take, in milliseconds, is less than 2 ** 31.
  if (!(seconds >= 0.01 && seconds <= 86_400))
    throw new UsageError(`--interval '${String(text)}' is no time in seconds`);
  return seconds;
}

export class LiveLine {
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;
  #last = '';

  /** @param seconds between two lines */
  constructor(text: () => string, seconds: number) {
    this.#text = text;
    this.#timer = setInterval(() => this.#show(), seconds * 1000);
    this.#timer.unref();
  }

  #show(): void {
    const text = this.#text();
    if (text === this.#last) return;
    this.#last = text;
    // Erased to its end, and not longer than the terminal is wide: a line that wraps cannot be rewritten.
    const { isTTY, columns } = process.stdout;
    process.stdout.write(isTTY ? `\r\u001B[K${text.slice(0, (columns || 80) - 1)}` : `${text}\n`);
  }

  /** The last one. */
  end(): void {
    clearInterval(this.#timer);
    this.#show();
    if (process.stdout.isTTY) process.stdout.write('\n');
  }
}
