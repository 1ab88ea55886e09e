// Bun and Deno, which run TypeScript as it is.
'use strict';

const { installedProject, mustEcho } = require('./cases.js');
const { programOf, runtimes } = require('../runtimes/runtimes.js');

/** @typedef {import('./cases.js').Case} Case */

const FILES = /** @type {const} */ ({ CommonJS: 'app.cjs', 'ES module': 'app.mjs', TypeScript: 'app.mts' });

/**
 * @param {import('../runtimes/runtimes.js').Name} name
 * @returns {Case}
 */
function runtime(name) {
  return {
    name,
    tries: Object.keys(FILES),
    run(packages, tried) {
      const program = programOf(name);
      const cwd = installedProject(name, packages, Object.values(FILES));
      for (const [what, file] of Object.entries(FILES)) {
        mustEcho(program, [...runtimes[name].run, file], cwd);
        tried(what);
      }
    },
  };
}

module.exports = { runtimeCases: [runtime('bun'), runtime('deno')] };
