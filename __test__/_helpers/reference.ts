// What ferronet is compared with: the results of node:net. In Bun and Deno that name belongs to another implementation, so
// there they come from a run on Node; FERRONET_REFERENCE names the file (scripts/runtimes).
import { readFileSync, writeFileSync } from 'node:fs';

import { expectedHere } from './describe.js';
import { isNode } from './implementations.js';

const file: string | undefined = process.env['FERRONET_REFERENCE'];
const known: Record<string, unknown> =
  file !== undefined && !isNode ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};

if (file !== undefined && isNode) process.on('exit', () => writeFileSync(file, JSON.stringify(known)));

/** What `ask` comes to on Node. `title` is the test's. */
export async function onNode<T>(title: string, ask: () => Promise<T>): Promise<T> {
  if (isNode) {
    const answer = await ask();
    if (file !== undefined) known[title] = answer;
    return answer;
  }
  if (!(title in known)) throw new Error(`what this comes to on Node was not written down: ${title}`);
  return JSON.parse(JSON.stringify(known[title]), (_key, value: unknown) =>
    typeof value === 'string' ? expectedHere(value) : value,
  ) as T;
}
