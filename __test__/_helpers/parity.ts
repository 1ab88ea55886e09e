// One scenario, played on node:net and on ferronet: the logs must be equal.
import test from 'ava';

import { node, nodeMajor, ours } from './implementations.js';
import type { Lanes } from './recorder.js';
import { onNode } from './reference.js';
import { play, type Scenario } from './stage.js';

interface Differences {
  /** What Node 26 logs, where the Node that runs the tests is older and does otherwise: it is the one to be equal to. */
  node26?: Lanes;
  /** The first major version of Node that has the member in question: with an older one `node26` is all there is. */
  since?: number;
  /** Platforms on which the scenario has no meaning. */
  not?: readonly NodeJS.Platform[];
}

export function parity(title: string, scenario: Scenario, { node26, since = 0, not = [] }: Differences = {}): void {
  const declare = not.includes(process.platform) ? test.skip : test;
  declare(title, async (t) => {
    const expected = await onNode(title, async () => {
      const theirs = nodeMajor < since && node26 ? node26 : await play(node, scenario);
      if (node26 && nodeMajor === 26) t.deepEqual(theirs, node26, 'what is expected of Node 26');
      return nodeMajor < 26 && node26 ? node26 : theirs;
    });
    // An empty log would be equal to anything that does nothing.
    t.notDeepEqual(expected, {});
    t.deepEqual(await play(ours, scenario), expected);
  });
}
