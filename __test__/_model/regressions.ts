// Programs that failed once, as small as they became. The suite plays them first.
import type { Link, Program, Step } from './program.js';

interface Regression {
  /** What went wrong. */
  title: string;
  program: Program;
}

function link(phases: Step[][], more: Partial<Link> = {}): Link {
  return {
    ordered: true,
    transports: ['tcp4'],
    proxies: [],
    client: {},
    server: {},
    reading: { c: { style: 'data' }, s: { style: 'data' } },
    early: [],
    phases,
    ...more,
  };
}

const proxied: Partial<Link> = {
  transports: ['tcp4', 'tcp4'],
  proxies: [{ style: 'pipe', onError: 'destroy', allowHalfOpen: true }],
};

const one = (...links: Link[]): Program => ({ seed: 0, links });

export const regressions: readonly Regression[] = [
  {
    title: 'a reset is an error also while writes wait',
    program: one(
      link([
        [
          { do: 'pause', on: 'c' },
          { do: 'write', on: 's', size: 8 << 20, form: 'buffer' },
          { do: 'wait', ms: 5 },
        ],
        [{ do: 'reset', on: 'c' }],
      ]),
    ),
  },
  {
    title: 'the source of a relay is reset while much is under way',
    program: one(
      link(
        [
          [{ do: 'pump', on: 'c', size: 2_000_000, piece: 65_536 }],
          [
            { do: 'pump', on: 'c', size: 4_000_000, piece: 65_536 },
            { do: 'wait', ms: 4 },
            { do: 'reset', on: 'c' },
          ],
        ],
        { ...proxied, anyResults: true },
      ),
    ),
  },
  {
    title: 'a relay begins while the last bytes and the end wait',
    program: one(
      link(
        [
          [{ do: 'write', on: 's', size: 10, form: 'buffer' }],
          [
            { do: 'busy', ms: 15 },
            { do: 'write', on: 's', size: 20_000, form: 'buffer' },
            { do: 'busy', ms: 10 },
            { do: 'write', on: 's', size: 20_000, form: 'buffer' },
            { do: 'end', on: 's' },
            { do: 'busy', ms: 10 },
          ],
        ],
        proxied,
      ),
    ),
  },
  {
    title: 'a socket that is destroyed with unread bytes resets its peer',
    program: one(
      link(
        [
          [
            { do: 'end', on: 's' },
            { do: 'write', on: 's', size: 0, form: 'buffer' },
            { do: 'write', on: 'c', size: 185_303, form: 'buffer' },
          ],
        ],
        { ...proxied, ordered: false },
      ),
    ),
  },
];
