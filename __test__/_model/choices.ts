// What steps are made of, by chance.
import type { Dice } from '../_helpers/random-values.js';
import type { End, Form, Moment, Step } from './program.js';

/** Of something written: most are small, some are around what the buffers on the way hold. */
export function size(dice: Dice): number {
  const kind = dice.below(20);
  if (kind < 1) return 0;
  if (kind < 8) return 1 + dice.below(200);
  if (kind < 12) return 1000 + dice.below(8000);
  if (kind < 15) return dice.one([16_383, 16_384, 16_385, 65_535, 65_536, 65_537]);
  if (kind < 19) return 20_000 + dice.below(200_000);
  return 300_000 + dice.below(1_500_000);
}

export function form(dice: Dice): Form {
  const strings: readonly Form[] = ['utf8', 'latin1', 'ascii', 'hex', 'base64', 'utf16le'];
  return dice.rarely(2) ? 'buffer' : dice.rarely(6) ? 'uint8array' : dice.one(strings);
}

export function moment(dice: Dice): { at?: Moment } {
  if (dice.rarely(2)) return {};
  return { at: dice.one(['tick', 'promise', 'immediate', 'callback', 'callback']) };
}

/** JavaScript that computes, more often than not long enough for a thread of the reactor to take over. */
export function busyStep(dice: Dice): Step {
  return { do: 'busy', ms: 1 + dice.below(14) };
}

export function writeStep(dice: Dice, on: End): Step {
  const bytes = size(dice);
  return {
    do: 'write',
    on,
    size: bytes,
    form: form(dice),
    ...(bytes < 10_000 && dice.rarely(4) && { times: 2 + dice.below(20) }),
    ...(dice.rarely(8) && { corked: true }),
    ...moment(dice),
  };
}
