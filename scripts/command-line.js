// The arguments of the commands in this folder: `--help` prints how a command is used, and arguments that make no sense are a
// line and status 2, before anything is built or installed.
'use strict';

const { parseArgs } = require('node:util');

const HELP = new Set(['-h', '--help']);

/**
 * Ends the process.
 * @param {string} message
 * @returns {never}
 */
function refuse(message) {
  console.error(`${message} (--help says what there is)`);
  process.exit(2);
}

/**
 * @template {import('node:util').ParseArgsConfig} Config
 * @param {string} usage
 * @param {Config} config
 * @returns {ReturnType<typeof parseArgs<Config>>}
 */
function readArguments(usage, config) {
  if (process.argv.slice(2).some((argument) => HELP.has(argument))) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    // Without the advice on how to write arguments that begin with a dash.
    return refuse(/** @type {Error} */ (error).message.replace(/\. To specify .*$/, ''));
  }
}

module.exports = { readArguments, refuse };
