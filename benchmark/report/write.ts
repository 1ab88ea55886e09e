// Writes a run to `benchmark/results/`: all of it as JSON, and the pictures that the README shows.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { picture } from './picture';
import type { Result } from './result';

const ROOT = join(__dirname, '..', '..', '..');
const RESULTS = join(ROOT, 'benchmark', 'results');

/** Five digits are more than any figure is worth. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}

/** As JSON that a diff can be read of: a line for each list of numbers and each spread. */
function written(result: Result): string {
  const text = JSON.stringify(result, rounded, 2);
  const onOneLine = (block: string): string => block.replace(/\s+/g, ' ');
  return `${text.replace(/\[[\d\s.,e+-]+\]|\{[^[\]{}]*"greatest": [^[\]{}]*\}/g, onOneLine)}\n`;
}

/** Writes `name.json` and, of a run that has a picture, `name.svg`. Returns the files, as seen from the package. */
export function writeResults(result: Result, name: string, pictured = true): string[] {
  mkdirSync(RESULTS, { recursive: true });
  const files: [string, string][] = [
    [join(RESULTS, `${name}.json`), written(result)],
    ...(pictured ? [[join(RESULTS, `${name}.svg`), picture(result)] as [string, string]] : []),
  ];
  for (const [file, text] of files) writeFileSync(file, text);
  return files.map(([file]) => relative(ROOT, file));
}
