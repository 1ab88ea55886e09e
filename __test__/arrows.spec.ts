import { join } from 'node:path';

import test from 'ava';

interface Module {
  name: string;
  imports: string[];
}

const { circles, upwards } = require(join(__dirname, '..', 'scripts', 'arrows', 'layers.js')) as {
  upwards: (modules: Module[], layers: string[]) => string[];
  circles: (modules: Module[]) => string[];
};

const LAYERS = ['lib/errors', 'lib/handle', 'lib/socket', 'index'];

test('imports of the own layer and of lower ones are fine', (t) => {
  const modules = [
    { name: 'lib/errors/text', imports: [] },
    { name: 'lib/errors/errors', imports: ['lib/errors/text'] },
    { name: 'lib/socket/socket', imports: ['lib/errors/errors', 'lib/handle/stream'] },
    { name: 'index', imports: ['lib/socket/socket'] },
  ];
  t.deepEqual(upwards(modules, LAYERS), []);
  t.deepEqual(circles(modules), []);
});

test('an import that runs up is named', (t) => {
  const modules = [{ name: 'lib/errors/errors', imports: ['lib/handle/stream'] }];
  t.deepEqual(upwards(modules, LAYERS), ['lib/errors/errors imports lib/handle/stream, which is above it']);
});

test('a module outside of the layers is named', (t) => {
  t.deepEqual(upwards([{ name: 'lib/utils', imports: [] }], LAYERS), ['lib/utils is in none of the layers']);
});

test('modules that import each other are named', (t) => {
  const modules = [
    { name: 'a', imports: ['b'] },
    { name: 'b', imports: ['c'] },
    { name: 'c', imports: ['b'] },
  ];
  t.deepEqual(circles(modules), ['b imports c imports b']);
});
