// The typings of index.mjs: the names of `require('ferronet')`, over the same classes and functions.
export { default } from './dist/index.js';
export * from './dist/index.js';
