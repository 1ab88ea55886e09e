// What wrong calls come to: what is thrown, or emitted, or nothing. The words are Node's, to the letter.
import test from 'ava';

import { describe, describeError, withoutChosenPorts } from './describe.js';
import { type Net, node, nodeMajor, ours } from './implementations.js';
import type { Disposable, Row, Rows } from './misuse-rows.js';
import { onNode } from './reference.js';

// Reads "threw TypeError[code=…] …", "emitted …" or "returned". Errors of misuse come at once or in the next tick.
async function outcome(call: Row['call'], net: Net): Promise<string> {
  let result: Disposable | undefined | null;
  try {
    result = call(net) as Disposable | undefined | null;
  } catch (error) {
    return `threw ${describeError(error)}`;
  }
  if (result === null || typeof result !== 'object') return `returned ${describe(result)}`;
  const emitted: string[] = [];
  result.on?.('error', (error) => emitted.push(describeError(error)));
  await new Promise(setImmediate);
  result.destroy?.();
  result.close?.();
  return emitted.length > 0 ? `emitted ${emitted.join(', ')}` : 'returned';
}

/** Declares a test a row. */
export function misuse(rows: Rows): void {
  for (const [title, row] of Object.entries(rows)) {
    const { call, node26 } = typeof row === 'function' ? { call: row, node26: undefined } : row;
    test(title, async (t) => {
      const expected = await onNode(title, async () => {
        const theirs = withoutChosenPorts(await outcome(call, node));
        if (node26 !== undefined && nodeMajor === 26) t.is(theirs, node26, 'what is expected of Node 26');
        return nodeMajor < 26 && node26 !== undefined ? node26 : theirs;
      });
      t.is(withoutChosenPorts(await outcome(call, ours)), expected);
    });
  }
}
