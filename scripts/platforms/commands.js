// Runs other programs, with what they print kept in a log of the cache and shown only when they fail.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');

/** Something cannot be had or done on this machine: a reason to skip, not a failure. */
class Unavailable extends Error {}

const SHOWN_LINES = 30;
const LONGEST = 45 * 60_000;

/** @param {string} text */
function step(text) {
  console.log(`-- ${text}`);
}

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, log?: string, minutes?: number }} [options] `env` is added to that of this process
 * @returns {{ status: number | null, output: string }} what it printed on both streams
 */
function attempt(command, args, { cwd, env, log, minutes } = {}) {
  const file = cache.at('logs', `${log ?? path.basename(command)}.log`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const sink = fs.openSync(file, 'w');
  const run = spawnSync(command, args, {
    cwd: cwd ?? cache.at('.'),
    env: { ...process.env, ...env },
    stdio: ['ignore', sink, sink],
    timeout: minutes === undefined ? LONGEST : minutes * 60_000,
    killSignal: 'SIGKILL',
    // There npm is a script.
    shell: process.platform === 'win32' && command === 'npm',
  });
  fs.closeSync(sink);
  let output = fs.readFileSync(file, 'utf8');
  if (run.error) output += `\n${command}: ${run.error.message}`;
  return { status: run.error ? 1 : run.status, output };
}

/**
 * Runs a program that has to succeed, and gives what it printed.
 * @param {string} command
 * @param {string[]} args
 * @param {Parameters<typeof attempt>[2]} [options]
 */
function run(command, args, options) {
  const { status, output } = attempt(command, args, options);
  if (status !== 0) {
    const end = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
    throw new Error(`${path.basename(command)} ${args.slice(0, 4).join(' ')} … ended with ${status}:\n${end}`);
  }
  return output;
}

/**
 * As `run`, for what comes from elsewhere: without a network, or a registry that has it, what needs it is skipped.
 * @param {string} command
 * @param {string[]} args
 * @param {Parameters<typeof attempt>[2]} [options]
 */
function download(command, args, options) {
  const { status, output } = attempt(command, args, options);
  if (status === 0) return;
  const end = output.trimEnd().split('\n').at(-1);
  throw new Unavailable(`${path.basename(command)} ${args[0]} ${args.at(-1)} ended with ${status}: ${end}`);
}

/**
 * Where a program is on this machine, if it is.
 * @param {string} command
 */
function where(command) {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, command)).find((file) => fs.existsSync(file));
}

/**
 * @param {string} command
 * @param {string} purpose
 */
function need(command, purpose) {
  if (!where(command)) throw new Unavailable(`${command} is not on this machine, and ${purpose}`);
}

module.exports = { Unavailable, attempt, download, need, run, step, where };
