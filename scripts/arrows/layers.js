// Layers of modules, the lowest first: a module imports from its own layer and from those below it, and inside a layer no
// module imports itself by way of others.
'use strict';

/** @typedef {{ name: string, imports: string[] }} Module */

/**
 * @param {readonly string[]} layers folders, or modules that are layers of their own
 * @param {string} name
 */
function layerOf(layers, name) {
  return layers.findIndex((layer) => name === layer || name.startsWith(`${layer}/`));
}

/**
 * @param {Module[]} modules
 * @param {readonly string[]} layers
 * @returns {string[]} what is wrong, a sentence each
 */
function upwards(modules, layers) {
  return modules.flatMap(({ name, imports }) => {
    const own = layerOf(layers, name);
    if (own < 0) return [`${name} is in none of the layers`];
    return imports
      .filter((wanted) => layerOf(layers, wanted) > own)
      .map((wanted) => `${name} imports ${wanted}, which is above it`);
  });
}

/**
 * @param {Module[]} modules
 * @returns {string[]} what is wrong, a sentence each
 */
function circles(modules) {
  const imports = new Map(modules.map((module) => [module.name, module.imports]));
  /** @type {Map<string, 'open' | 'done'>} */
  const states = new Map();
  /** @type {string[]} */
  const found = [];
  /** @param {string[]} way */
  const visit = (way) => {
    const name = /** @type {string} */ (way.at(-1));
    states.set(name, 'open');
    for (const next of imports.get(name) ?? []) {
      if (states.get(next) === 'open') found.push([...way.slice(way.indexOf(next)), next].join(' imports '));
      else if (imports.has(next) && !states.has(next)) visit([...way, next]);
    }
    states.set(name, 'done');
  };
  for (const { name } of modules) if (!states.has(name)) visit([name]);
  return found;
}

/**
 * @param {Module[]} modules
 * @param {Readonly<Record<string, readonly string[]>>} allowed what each of them may import
 * @returns {string[]}
 */
function others(modules, allowed) {
  return modules.flatMap(({ name, imports }) =>
    imports
      .filter((wanted) => !allowed[name]?.includes(wanted))
      .map((wanted) => `${name} depends on ${wanted}, which is not meant for it`),
  );
}

module.exports = { circles, others, upwards };
