// Phases whose outcome does not depend on chance: what has been sent has arrived before the next phase begins, and the end
// of the link is one of those that can come out in one way only.
import type { Dice } from '../_helpers/random-values.js';
import { busyStep, form, moment, size, writeStep } from './choices.js';
import type { End, Link, Name, Step } from './program.js';

type Phases = Pick<Link, 'early' | 'phases' | 'anyResults'>;
type Ending = (dice: Dice, link: Link, by: End) => Step[][];

/** Of one connection. */
const FLOOD = 8 << 20;

/** More than the buffers on the way take. */
function flood({ transports }: Link): number {
  return transports.reduce((sum, transport) => sum + FLOOD * (transport === 'peer' ? 2 : 1), 0);
}

const other = (end: End): End => (end === 'c' ? 's' : 'c');

export function orderedPhases(dice: Dice, link: Link): Phases {
  const early = dice.rarely(3) ? [writeStep(dice, 'c')] : [];
  const isEcho = link.reading.s.style === 'echo';
  const phases: Step[][] = [];
  if (link.server.pauseOnConnect && link.reading.s.style === 'data') phases.push([{ do: 'resume', on: 's' }]);
  for (let n = dice.below(5); n > 0; n--) phases.push(transfer(dice, link));
  if (dice.rarely(5)) phases.push([{ do: 'close' }]);
  const by: End = isEcho || dice.rarely(2) ? 'c' : 's';
  const ending = dice.one(isEcho ? OF_ECHOES : link.proxies.length > 1 ? OF_CHAINS : OF_ALL);
  phases.push(...ending(dice, link, by));
  return { early, phases, ...(isChance(link, phases, ending) && { anyResults: true }) };
}

/** Whether how far a write comes depends on who is faster. */
function isChance({ reading, transports }: Link, phases: readonly Step[][], ending: Ending): boolean {
  if (ending === sendsAndResets) return true;
  if (transports.includes('peer') && CUT.has(ending)) return true;
  const paused = phases.flat().flatMap((step) => (step.do === 'pause' ? [reading[step.on].style] : []));
  return paused.some((style) => style !== 'data' && style !== 'readable');
}

/** Something goes over, and perhaps something is odd about it. */
function transfer(dice: Dice, link: Link): Step[] {
  const isEcho = link.reading.s.style === 'echo';
  const from: readonly End[] = isEcho ? ['c'] : dice.one([['c'], ['s'], ['c', 's']]);
  const steps: Step[] = [];
  for (let n = 1 + dice.below(5); n > 0; n--) steps.push(writeStep(dice, dice.one(from)));
  if (dice.rarely(4)) steps.splice(dice.below(steps.length + 1), 0, busyStep(dice), ...some(dice, busyStep));
  if (dice.rarely(6)) steps.push({ do: 'pump', on: dice.one(from), size: 1 + dice.below(2_000_000), piece: 65_536 });
  const kind = dice.below(8);
  if (kind === 0) return wrapped(steps, { do: 'pause', on: dice.one(['c', 's']) }, 'resume');
  if (kind === 1) return wrapped(steps, { do: 'cork', on: from[0] as End }, 'uncork');
  if (kind === 2) return [...steps, { do: 'idle', on: anySocket(dice, link), ms: 20 + dice.below(30) }];
  if (kind === 3 && link.proxies.length > 0) {
    const at = { proxy: dice.below(link.proxies.length), way: dice.one(['up', 'down'] as const) };
    return [{ do: 'unpipe', ...at }, ...steps, busyStep(dice), { do: 'repipe', ...at, ...moment(dice) }];
  }
  const reader = other(from[0] as End);
  if (kind === 4 && hasWholeCharacters(link, reader)) {
    const encoding = link.text ? 'utf8' : dice.one(['latin1', 'hex'] as const);
    return [{ do: 'encoding', on: reader, encoding }, ...steps];
  }
  return steps;
}

/** Where each chunk is whole characters: `read(n)` cuts them. */
function hasWholeCharacters(link: Link, end: End): boolean {
  return link.reading[end].style === 'data';
}

function some(dice: Dice, make: (dice: Dice) => Step): Step[] {
  return dice.rarely(2) ? [make(dice)] : [];
}

function wrapped(steps: Step[], first: Step & { on: End }, last: 'resume' | 'uncork'): Step[] {
  return [first, ...steps, { do: 'wait', ms: 3 }, { do: last, on: first.on }];
}

function anySocket(dice: Dice, { proxies }: Link): Name {
  const names = proxies.flatMap((_, n): Name[] => [`f${n}`, `b${n}`]);
  return dice.one<Name>(['c', 's', ...names]);
}

/** The other end ends too, where it does not do so by itself. */
function answered(dice: Dice, link: Link, by: End): Step[][] {
  const end = other(by);
  const options = end === 'c' ? link.client : link.server;
  if (!options.allowHalfOpen) return [];
  return [[...(dice.rarely(2) ? [writeStep(dice, end)] : []), { do: 'end', on: end, ...lastWords(dice) }]];
}

function lastWords(dice: Dice): { size?: number; form?: 'buffer' } {
  return dice.rarely(2) ? { size: size(dice), form: 'buffer' } : {};
}

/** A proxy that ends both ways at once cuts off what is still to come back. */
const isCut = ({ proxies, reading }: Link): boolean =>
  reading.s.style === 'echo' && proxies.some(({ allowHalfOpen }) => !allowHalfOpen);

const ends: Ending = (dice, link, by) => [
  isCut(link)
    ? [{ do: 'end', on: by, ...moment(dice) }, busyStep(dice)]
    : [
        ...some(dice, busyStep),
        ...(dice.rarely(2) ? [writeStep(dice, by), ...some(dice, busyStep)] : []),
        ...(dice.rarely(2) ? [writeStep(dice, by)] : []),
        { do: 'end', on: by, ...lastWords(dice), ...moment(dice) },
        ...some(dice, busyStep),
      ],
  ...answered(dice, link, by),
];

const pumpsAndEnds: Ending = (dice, link, by) => [
  [
    { do: 'pump', on: by, size: 1_000_000 + dice.below(3_000_000), piece: dice.one([16_384, 65_536, 300_000]) },
    ...some(dice, busyStep),
  ],
  [{ do: 'end', on: by, ...lastWords(dice) }, ...some(dice, busyStep)],
  ...answered(dice, link, by),
];

const destroys: Ending = (dice, link, by) => [
  [{ do: 'destroy', on: by, ...(dice.rarely(2) && { error: true }), ...moment(dice) }, ...some(dice, busyStep)],
  ...finalEnd(link, other(by)),
];

const resets: Ending = (dice, link, by) => [
  [{ do: 'reset', on: by, ...moment(dice) }, ...some(dice, busyStep)],
  ...finalEnd(link, other(by)),
];

/** A peer that does not read is written to until nothing goes any more, and then it is gone. */
const gone =
  (how: 'reset' | 'destroy'): Ending =>
  (dice, link, by) => [
    [
      { do: 'pause', on: by },
      { do: 'write', on: other(by), size: flood(link), form: 'buffer', ...moment(dice) },
      ...(dice.rarely(2) ? [writeStep(dice, other(by))] : []),
      ...(dice.rarely(3) ? [{ do: 'end', on: other(by) } as Step] : []),
      { do: 'wait', ms: 5 + dice.below(20) },
      ...some(dice, busyStep),
    ],
    [{ do: how, on: by, ...moment(dice) }, ...some(dice, busyStep)],
  ];

/** What is under way goes with the sender. */
const sendsAndResets: Ending = (dice, _link, by) => [
  [
    ...(dice.rarely(2)
      ? [{ do: 'pump', on: by, size: 500_000 + dice.below(4_000_000), piece: 65_536 } as Step]
      : [
          writeStep(dice, by),
          { do: 'write', on: by, size: 100_000 + dice.below(4_000_000), form: form(dice) } as Step,
        ]),
    ...(dice.rarely(2) ? [{ do: 'wait', ms: dice.below(8) } as Step] : some(dice, busyStep)),
    { do: 'reset', on: by, ...moment(dice) },
    ...some(dice, busyStep),
  ],
];

const sendsAndDestroys: Ending = (dice, link, by) => [
  [
    { do: 'pause', on: other(by) },
    { do: 'write', on: by, size: flood(link), form: 'buffer', ...moment(dice) },
    { do: 'wait', ms: 5 },
    { do: 'destroy', on: by, ...moment(dice) },
  ],
  [{ do: 'resume', on: other(by) }],
  ...finalEnd(link, other(by)),
];

const writesAfterEnd: Ending = (_dice, link, by) => [
  [
    { do: 'end', on: by },
    { do: 'write', on: by, size: 5, form: 'buffer' },
  ],
  ...finalEnd(link, other(by)),
];

const idles: Ending = (dice, link, by) => [
  [{ do: 'idle', on: by, ms: 15 + dice.below(20), destroy: true }],
  ...finalEnd(link, other(by)),
];

const aborts: Ending = (_dice, link) =>
  link.client.signal ? [[{ do: 'abort' }], ...finalEnd(link, 's')] : [[{ do: 'end', on: 'c' }], ...finalEnd(link, 's')];

function finalEnd(link: Link, end: End): Step[][] {
  const options = end === 'c' ? link.client : link.server;
  return options.allowHalfOpen ? [[{ do: 'end', on: end }]] : [];
}

const OF_ECHOES: readonly Ending[] = [ends, ends, destroys, resets, idles];
const [isReset, isDestroyed] = [gone('reset'), gone('destroy')];

/** Writes are under way when the connection goes. */
const CUT: ReadonlySet<Ending> = new Set([isReset, isDestroyed, sendsAndDestroys]);

/** Through several proxies. */
const OF_CHAINS: readonly Ending[] = [
  ends,
  ends,
  ends,
  pumpsAndEnds,
  destroys,
  resets,
  sendsAndResets,
  sendsAndResets,
  writesAfterEnd,
  idles,
  aborts,
];
const OF_ALL: readonly Ending[] = [...OF_CHAINS, isReset, isReset, isDestroyed, sendsAndDestroys];
