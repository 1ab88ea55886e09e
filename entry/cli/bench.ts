// `ferronet bench`: says where the benchmark is. It needs a load generator in Rust, which the package does not have.
import { type Command, Exit } from './command.js';

const TEXT = `The benchmark is part of the repository and not of the package: its load generator is in Rust, and
compares node:net, ferronet and a bare tokio server from outside. In a clone of the repository (package.json
says under "repository" where that is):

  npm install
  npm run bench -- --list          what it measures
  npm run bench -- --only proxy    one scenario

How it is measured, and what came of it, is in docs/PERFORMANCE.md.
`;

export const bench: Command = {
  name: 'bench',
  synopsis: '',
  summary: 'Says where the benchmark is.',
  details: '',
  options: {},
  takes: [0, 0],
  run(): Exit {
    process.stdout.write(TEXT);
    return Exit.Done;
  },
};
