// The texts of Node's argument errors: what was expected, what was received. Identical to those of the newest Node, whichever
// Node runs, because programs and tests compare messages.
import { inspect } from 'node:util';

function disjunction(items: readonly string[]): string {
  if (items.length < 3) return items.join(' or ');
  return `${items.slice(0, -1).join(', ')}, or ${items.at(-1)}`;
}

/** What Node prints after "Received": `undefined`, `type string ('x')`, `function f`, `an instance of Map` … */
export function describeReceived(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'function':
      return `function ${value.name}`;
    case 'object': {
      if (value === null) return 'null';
      const name: unknown = (value.constructor as { name?: unknown } | null | undefined)?.name;
      return typeof name === 'string' && name !== '' ? `an instance of ${name}` : inspect(value, { depth: -1 });
    }
    case 'string': {
      const shown = value.length > 28 ? `${value.slice(0, 25)}...` : value;
      return `type string (${shown.includes("'") ? JSON.stringify(shown) : `'${shown}'`})`;
    }
    case 'bigint':
      return `type bigint (${value}n)`;
    case 'number':
      return `type number (${Object.is(value, -0) ? '-0' : value})`;
    default:
      return `type ${typeof value} (${String(value)})`;
  }
}

const PRIMITIVES = /^(?:string|number|boolean|bigint|symbol|function|object)$/i;
const CLASS_NAME = /^[A-Z][A-Za-z0-9]*$/;

// Primitive types (`string`), classes (`Buffer`) and other texts (`string[]`, `net.BlockList`) are listed in that order.
export function describeExpected(expected: string | readonly string[]): string {
  const wanted = typeof expected === 'string' ? [expected] : expected;
  const types = wanted.filter((item) => PRIMITIVES.test(item)).map((item) => item.toLowerCase());
  const classes = wanted.filter((item) => !PRIMITIVES.test(item) && CLASS_NAME.test(item));
  const others = wanted.filter((item) => !PRIMITIVES.test(item) && !CLASS_NAME.test(item));

  const parts: string[] = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${disjunction(types)}`);
  if (classes.length > 0) parts.push(`an instance of ${disjunction(classes)}`);
  const other = others[0];
  if (others.length > 1) parts.push(`one of ${disjunction(others)}`);
  // "must be an net.BlockList": the grammar is Node's.
  else if (other !== undefined) parts.push(other.toLowerCase() === other ? other : `an ${other}`);
  return parts.join(' or ');
}

export function describeName(name: string): string {
  if (name.endsWith(' argument')) return name;
  return `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;
}

// 4294967297 is printed as 4_294_967_297.
function separated(digits: string): string {
  return digits.replace(/(?<=[^-])(?=(?:.{3})+$)/g, '_');
}

export function describeOutOfRange(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) > 2 ** 32)
    return separated(String(value));
  if (typeof value === 'bigint') {
    const limit = 2n ** 32n;
    return value > limit || value < -limit ? `${separated(String(value))}n` : `${value}n`;
  }
  return inspect(value);
}

export function describeArgValue(value: unknown): string {
  const shown = inspect(value);
  return shown.length > 128 ? `${shown.slice(0, 128)}...` : shown;
}

export type Names = string | readonly string[];

export function describeMissing(...names: [Names, ...Names[]]): string {
  const quoted = names.map((name) => (typeof name === 'string' ? [name] : name).map((n) => `"${n}"`).join(' or '));
  const list = quoted.length < 3 ? quoted.join(' and ') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`;
  return `The ${list} argument${names.length > 1 ? 's' : ''} must be specified`;
}
