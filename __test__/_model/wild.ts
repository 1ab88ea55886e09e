// Steps of all kinds in any order, whatever is under way: what comes of them is a matter of chance, and the invariants hold.
import type { Dice } from '../_helpers/random-values.js';
import { busyStep, form, moment, size, writeStep } from './choices.js';
import type { End, Link, Name, Step } from './program.js';

const STEPS = 24;

export function wildPhases(dice: Dice, link: Link): Pick<Link, 'early' | 'phases'> {
  const names: Name[] = ['c', 'c', 's', 's'];
  link.proxies.forEach((_, n) => names.push(`f${n}`, `b${n}`));
  const early = dice.rarely(3)
    ? [writeStep(dice, 'c'), step(dice, link, ['c'])].filter(({ do: it }) => it !== 'close')
    : [];
  const steps: Step[] = [];
  for (let left = 3 + dice.below(STEPS); left > 0; left--) steps.push(step(dice, link, names));
  return { early, phases: [steps] };
}

function step(dice: Dice, link: Link, names: readonly Name[]): Step {
  const ends: readonly End[] = link.reading.s.style === 'echo' || names.length === 1 ? ['c'] : ['c', 's'];
  const on = dice.one(ends);
  const kind = dice.below(26);
  if (kind < 9) return writeStep(dice, on);
  if (kind < 12) return busyStep(dice);
  if (kind < 14) return { do: 'wait', ms: dice.below(6) };
  if (kind < 16) return { do: 'pump', on, size: 1 + dice.below(2_000_000), piece: dice.one([1000, 16_384, 65_536]) };
  if (kind === 16) return { do: 'pause', on: dice.one(['c', 's']), ...moment(dice) };
  if (kind < 19) return { do: 'resume', on: dice.one(['c', 's']), ...moment(dice) };
  if (kind === 19) return { do: dice.one(['cork', 'uncork']), on, ...moment(dice) };
  if (kind === 20) return { do: 'timeout', on, ms: dice.below(20) };
  if (kind === 21 && link.proxies.length > 0) {
    const at = { proxy: dice.below(link.proxies.length), way: dice.one(['up', 'down'] as const) };
    return { do: dice.one(['unpipe', 'repipe', 'repipe']), ...at, ...moment(dice) };
  }
  if (kind === 22) return dice.rarely(2) ? { do: 'close' } : { do: 'abort' };
  if (kind === 23)
    return { do: 'end', on, ...(dice.rarely(2) && { size: size(dice), form: form(dice) }), ...moment(dice) };
  if (kind === 24)
    return { do: 'destroy', on: dice.one(names), ...(dice.rarely(3) && { error: true }), ...moment(dice) };
  return dice.rarely(2) ? { do: 'reset', on: dice.one(names), ...moment(dice) } : writeStep(dice, on);
}
