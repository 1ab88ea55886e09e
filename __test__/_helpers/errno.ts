// libuv's numbers by their names: minus the system's own, except on Windows.
import { getSystemErrorMap } from 'node:util';

const numbers = new Map([...getSystemErrorMap()].map(([number, [name]]) => [name, number]));

export function errnoOf(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`no error is called ${name}`);
  return number;
}
