// Makes a failing program smaller, as long as it goes on to fail in the same way.
import type { Link, Program, Proxy, Step, Transport } from './program.js';

/** Whether a program fails. */
export type Fails = (program: Program) => Promise<boolean>;

/** Returns the smallest that was found; `onSmaller` gets each one on the way. */
export async function shrink(
  program: Program,
  fails: Fails,
  onSmaller: (program: Program) => void = () => {},
): Promise<Program> {
  let smallest = program;
  for (let found = true; found;) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      onSmaller(smallest);
      found = true;
      break;
    }
  }
  return smallest;
}

/** Programs with a little less, the boldest first. */
function* smaller(program: Program): Generator<Program> {
  const { links } = program;
  if (links.length > 1) {
    for (const link of links) yield { ...program, links: [link] };
    for (const link of links) yield { ...program, links: links.filter((each) => each !== link) };
  }
  for (const [at, link] of links.entries()) {
    for (const less of smallerLinks(link)) yield { ...program, links: links.with(at, less) };
  }
}

function* smallerLinks(link: Link): Generator<Link> {
  const { phases, early, proxies, transports } = link;
  for (const phase of phases) yield { ...link, phases: phases.filter((each) => each !== phase) };
  for (const [at, phase] of phases.entries()) {
    for (const steps of halves(phase)) yield { ...link, phases: phases.with(at, steps) };
  }
  for (const steps of halves(early)) yield { ...link, early: steps };
  for (const [at] of proxies.entries()) {
    if (speaksOf(link, at)) continue;
    yield { ...link, proxies: proxies.toSpliced(at, 1), transports: transports.toSpliced(at, 1) };
  }
  for (const [at, phase] of phases.entries()) {
    for (const [n, step] of phase.entries()) {
      for (const less of smallerSteps(step)) yield { ...link, phases: phases.with(at, phase.with(n, less)) };
    }
  }
  yield* plainer(link);
}

/** The proxies behind one that goes would have other names. */
function speaksOf({ phases, early }: Link, proxy: number): boolean {
  const text = JSON.stringify([phases, early]);
  for (let n = proxy; n < 8; n++) if (text.includes(`"f${n}"`) || text.includes(`"b${n}"`)) return true;
  return text.includes('"proxy":');
}

function* halves(steps: readonly Step[]): Generator<Step[]> {
  if (steps.length > 3) {
    const half = steps.length >> 1;
    yield steps.slice(half);
    yield steps.slice(0, half);
  }
  for (const step of steps) yield steps.filter((each) => each !== step);
}

function* smallerSteps(step: Step): Generator<Step> {
  const { at, ...here } = step;
  if (at !== undefined) yield here as Step;
  if (step.do === 'write') {
    if (step.times !== undefined) yield without(step, 'times');
    if (step.corked !== undefined) yield without(step, 'corked');
    if (step.form !== 'buffer') yield { ...step, form: 'buffer' };
  }
  if (step.do === 'end' && step.size !== undefined) yield without(without(step, 'size'), 'form');
  if ('size' in step && step.size !== undefined) {
    for (const size of [1, 100_000, 1_000_000, step.size >> 1]) if (size < step.size) yield { ...step, size };
  }
  if ('ms' in step && step.ms > 1) yield { ...step, ms: step.ms >> 1 };
}

function without<T extends object, K extends keyof T>(value: T, key: K): T {
  const { [key]: _gone, ...rest } = value;
  return rest as T;
}

/** The same steps on sockets with less about them. */
function* plainer(link: Link): Generator<Link> {
  const { client, server, reading, proxies, transports } = link;
  if (link.finished) yield without(link, 'finished');
  if (link.text && !JSON.stringify(link.phases).includes('encoding')) yield without(link, 'text');
  for (const key of Object.keys(client)) yield { ...link, client: without(client, key as keyof typeof client) };
  for (const key of Object.keys(server)) yield { ...link, server: without(server, key as keyof typeof server) };
  for (const end of ['c', 's'] as const) {
    const { style, ...rest } = reading[end];
    for (const key of Object.keys(rest))
      yield { ...link, reading: { ...reading, [end]: without(reading[end], key as keyof typeof rest) } };
    if (style !== 'data' && style !== 'echo') yield { ...link, reading: { ...reading, [end]: { style: 'data' } } };
  }
  for (const [at, transport] of transports.entries())
    if (transport !== 'tcp4') yield { ...link, transports: transports.with(at, 'tcp4' satisfies Transport) };
  for (const [at, proxy] of proxies.entries())
    for (const less of plainerProxies(proxy)) yield { ...link, proxies: proxies.with(at, less) };
}

function* plainerProxies(proxy: Proxy): Generator<Proxy> {
  if (proxy.style !== 'pipe') yield { ...proxy, style: 'pipe' };
  if (proxy.onError !== 'destroy') yield { ...proxy, onError: 'destroy' };
  if (proxy.allowHalfOpen) yield { ...proxy, allowHalfOpen: false };
  if (proxy.highWaterMark !== undefined) yield without(proxy, 'highWaterMark');
}
