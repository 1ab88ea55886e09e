// Makes a program of a seed. The same seed makes the same program.
import { Dice } from '../_helpers/random-values.js';
import { size } from './choices.js';
import { orderedPhases } from './ordered.js';
import type { Link, Program, Proxy, Reading, Style, Transport } from './program.js';
import { wildPhases } from './wild.js';

const LINKS = 3;

export function generate(seed: number): Program {
  const dice = new Dice(seed);
  // Seeds that follow each other begin alike.
  for (let n = 0; n < 8; n++) dice.below(2);
  return { seed, links: Array.from({ length: 1 + dice.below(LINKS) }, () => link(dice)) };
}

function link(dice: Dice): Link {
  const ordered = !dice.rarely(3);
  const proxies = Array.from({ length: dice.one([0, 0, 0, 1, 1, 1, 1, 2, 3]) }, () => proxy(dice));
  // What a proxy must let through when one way has ended, each one must.
  const half = dice.rarely(3);
  if (ordered || half) for (const each of proxies) each.allowHalfOpen = half;
  const isEcho = dice.rarely(6);
  const made: Link = {
    ordered,
    transports: Array.from({ length: proxies.length + 1 }, () => transport(dice)),
    proxies,
    client: {
      ...options(dice),
      ...((half || proxies.length === 0) && dice.rarely(2) && { allowHalfOpen: true }),
      ...(dice.rarely(6) && { signal: true }),
    },
    server: {
      ...options(dice),
      ...((half || proxies.length === 0) && dice.rarely(2) && { allowHalfOpen: true }),
      ...(dice.rarely(8) && { pauseOnConnect: true }),
    },
    reading: {
      c: reading(dice, ['data', 'data', 'data', 'readable', 'iterate', 'pipeline', 'passthrough', 'onread'], ordered),
      s: isEcho
        ? { style: 'echo' }
        : reading(dice, ['data', 'data', 'data', 'readable', 'iterate', 'pipeline', 'passthrough'], ordered),
    },
    ...(dice.rarely(3) && { finished: dice.one([['c'], ['s'], ['c', 's']]) }),
    ...(!isEcho && dice.rarely(6) && { text: true }),
    early: [],
    phases: [],
  };
  if (ordered) Object.assign(made, orderedPhases(dice, made));
  else Object.assign(made, wildPhases(dice, made));
  return made;
}

function proxy(dice: Dice): Proxy {
  return {
    style: dice.one(['pipe', 'pipe', 'pipe', 'pipe', 'passthrough', 'pipeline', 'manual']),
    onError: dice.one(['destroy', 'reset']),
    allowHalfOpen: dice.rarely(3),
    ...(dice.rarely(6) && { highWaterMark: dice.one([1, 1024, 16_384, 1 << 20]) }),
  };
}

function transport(dice: Dice): Transport {
  return dice.one(['tcp4', 'tcp4', 'tcp4', 'tcp4', 'tcp6', 'unix', 'unix', 'peer']);
}

function options(dice: Dice): Link['client'] {
  return {
    ...(dice.rarely(5) && { highWaterMark: dice.one([1, 100, 1024, 16_384, 1 << 20]) }),
    ...(dice.rarely(4) && { noDelay: true }),
  };
}

function reading(dice: Dice, styles: readonly Style[], ordered: boolean): Reading {
  const style = !ordered && dice.rarely(10) ? 'none' : dice.one(styles);
  return {
    style,
    ...(style === 'readable' && dice.rarely(2) && { piece: dice.one([1000, 10_000, 60_000]) }),
    ...(style === 'iterate' && !ordered && dice.rarely(2) && { breakAt: size(dice) }),
    ...(style === 'data' && dice.rarely(10) && { throwAt: 1 + dice.below(30_000) }),
    ...((style === 'iterate' || style === 'pipeline') && dice.rarely(3) && { slow: true }),
  };
}
