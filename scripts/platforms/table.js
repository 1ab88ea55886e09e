// What the platform command ends with.
'use strict';

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'yes' | 'no' | 'FAILED'} built
 * @property {string} size
 * @property {string} glibc the oldest that it loads on
 * @property {string} reactor what its own tests came to
 * @property {string[]} tested what the suite came to, a Node each
 * @property {string[]} installed what came of the packages in an empty folder, a Node each
 * @property {string[]} failures each in a sentence: there is none if all went well
 * @property {string[]} notes
 * @property {number} seconds
 */

const HEADS = ['platform', 'built', 'size', 'glibc', 'reactor', 'suite', 'installed by npm', 'seconds'];

/** @param {Row} row */
function cells(row) {
  const { name, built, size, glibc, reactor, tested, installed, seconds } = row;
  return [name, built, size, glibc, reactor, tested.join('; '), installed.join('; '), seconds.toFixed(0)];
}

/**
 * A row by itself.
 * @param {Row} row
 */
function line(row) {
  return HEADS.map((head, n) => [head, String(cells(row)[n])])
    .filter(([, cell]) => cell !== '')
    .map(([head, cell]) => `${head}: ${cell}`)
    .join(' | ');
}

/**
 * Lines of cells in columns, under their heads.
 * @param {string[]} heads
 * @param {string[][]} rows
 */
function aligned(heads, rows) {
  const lines = [heads, heads.map((head) => '-'.repeat(head.length)), ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => String(line[column]).length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(Number(widths[column])))
      .join('  ')
      .trimEnd(),
  );
  return text.join('\n');
}

/**
 * The table, and below it everything there is to say about a row.
 * @param {Row[]} rows
 */
function table(rows) {
  const remarks = rows.flatMap(({ name, failures, notes }) => [
    ...failures.map((failure) => `FAILED ${name}: ${failure}`),
    ...notes.map((note) => `${name}: ${note}`),
  ]);
  return [aligned(HEADS, rows.map(cells)), '', ...remarks].join('\n').trimEnd();
}

module.exports = { aligned, line, table };
