// Other libraries of the process must not find functions of the addon by name: what it exports are Node-API's entry points.
import test from 'ava';

import { exportsOf } from './_helpers/elf.js';
import { isNode } from './_helpers/implementations.js';

/** What Node-API looks for in an addon. */
const ENTRY_POINTS: ReadonlySet<string> = new Set(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);

const declare = isNode && process.platform === 'linux' ? test : test.skip;

declare('the addon exports nothing but its entry points', (t) => {
  require('ferronet');
  const loaded = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
  t.is(loaded.length, 1);
  const names = exportsOf(String(loaded[0]));
  t.true(names.includes('napi_register_module_v1'));
  t.deepEqual(
    names.filter((name) => !ENTRY_POINTS.has(name)),
    [],
  );
});
