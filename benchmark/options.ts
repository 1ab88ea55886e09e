// What the command line asks for.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';

import { type Implementation, implementation, RUNTIMES } from './runners/implementations';
import { scaling } from './scaling';
import { scenarios } from './scenarios';
import type { Scenario } from './scenarios/scenario';

export const HELP = `npm run bench -- [options]

  --rounds N     rounds, in which the peers take turns (5); with a single one only the core scenarios run
  --seconds S    measured seconds of each peer in each round (2)
  --only A,B     scenarios whose names contain one of these; "core": the core scenarios, "all": every one
  --peers A,B    of ours, node, bun, deno, floor, or all (ours,node,floor); ours:NAME=VALUE sets a variable for a peer
  --nodes A,B    executables of Node: the run is repeated with each, and a table compares their ratios to node:net
  --scaling      threads and drivers of ferronet against node:net, in ten minutes at most beside the build; it has its
                 own rounds, scenarios and peers
  --write        write benchmark/results/ even when it is not a full run of at least 5 rounds
  --list         the scenarios, and nothing else
`;

/** Fewer rounds have no median worth a picture. */
export const ROUNDS_OF_RESULTS = 5;

export interface Options {
  rounds: number;
  seconds: number;
  scenarios: readonly Scenario[];
  /** Whether that is all of them. */
  full: boolean;
  peers: readonly Implementation[];
  /** Executables; the run is repeated with each. */
  nodes: readonly string[];
  scaling: boolean;
  /** For all that is measured. Each scenario has a share; when that is used up, it has no more rounds than it has had. */
  minutes?: number;
  write: boolean;
  list: boolean;
  help: boolean;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new Error(`--${name} takes a number above 0, not "${text}"`);
  return value;
}

function whole(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isInteger(value)) throw new Error(`--${name} takes a whole number, not "${text}"`);
  return value;
}

function words(name: string, text: string): string[] {
  const found = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  if (found.length === 0) throw new Error(`--${name} takes names, separated by commas`);
  return found;
}

function chosen(only: string): readonly Scenario[] {
  const wanted = words('only', only);
  for (const word of wanted) {
    if (word !== 'all' && word !== 'core' && !scenarios.some(({ name }) => name.includes(word))) {
      throw new Error(`--only: no scenario's name contains "${word}"; --list shows them`);
    }
  }
  return scenarios.filter(({ name, core }) =>
    wanted.some((word) => word === 'all' || (word === 'core' ? core : name.includes(word))),
  );
}

function peersOf(text: string): Implementation[] {
  const names = new Set<string>();
  for (const word of words('peers', text)) {
    if (word === 'all') for (const runtime of RUNTIMES) names.add(runtime);
    else names.add(word);
  }
  return Array.from(names, implementation);
}

function nodesOf(text: string): string[] {
  const nodes = words('nodes', text);
  for (const node of nodes) {
    try {
      execFileSync(node, ['--version'], { stdio: 'ignore' });
    } catch {
      throw new Error(`--nodes: "${node}" cannot be run`);
    }
  }
  return nodes;
}

/** Reads the command line; an error is a sentence for the user. */
export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(ROUNDS_OF_RESULTS) },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
      peers: { type: 'string', default: 'ours,node,floor' },
      nodes: { type: 'string', default: process.execPath },
      scaling: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = whole('rounds', values.rounds);
  const selected = chosen(values.only ?? (rounds === 1 ? 'core' : 'all'));
  const nodes = nodesOf(values.nodes);
  if (values.scaling && nodes.length > 1) throw new Error('--scaling runs on a single Node');
  return {
    rounds,
    seconds: positive('seconds', values.seconds),
    scenarios: selected,
    full: selected.length === scenarios.length,
    peers: peersOf(values.peers),
    nodes,
    scaling: values.scaling,
    write: values.write,
    list: values.list,
    help: values.help,
    ...(values.scaling && { ...scaling(), full: false }),
  };
}
