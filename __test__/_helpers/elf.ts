// Reads what a shared library of Linux exports, without a tool: the global symbols of `.dynsym` that it defines itself.
import { readFileSync } from 'node:fs';

const SECTION = { size: 64, dynamicSymbols: 11 } as const;
const SYMBOL_SIZE = 24;
/** Bindings that other libraries see: `STB_GLOBAL`, `STB_WEAK`, `STB_GNU_UNIQUE`. */
const EXPORTED: ReadonlySet<number> = new Set([1, 2, 10]);
/** The section of what a library only asks for. */
const SHN_UNDEF = 0;

interface Section {
  type: number;
  offset: number;
  size: number;
  /** The index of another section; of symbols, that of their names. */
  link: number;
}

/** The names that a 64-bit little-endian ELF file defines for others, sorted. */
export function exportsOf(file: string): string[] {
  const bytes = readFileSync(file);
  const magic = bytes.subarray(0, 6).toString('latin1');
  if (magic !== '\x7fELF\x02\x01') throw new Error(`${file} is no 64-bit little-endian ELF file`);
  const number = (at: number): number => Number(bytes.readBigUInt64LE(at));
  const sectionsAt = number(0x28);
  const section = (index: number): Section => {
    const at = sectionsAt + index * SECTION.size;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: number(at + 24),
      size: number(at + 32),
      link: bytes.readUInt32LE(at + 40),
    };
  };
  const sections = Array.from({ length: bytes.readUInt16LE(0x3c) }, (_, index) => section(index));
  const symbols = sections.find(({ type }) => type === SECTION.dynamicSymbols);
  if (symbols === undefined) throw new Error(`${file} has no dynamic symbols`);
  const names = section(symbols.link);
  const found: string[] = [];
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += SYMBOL_SIZE) {
    const binding = bytes.readUInt8(at + 4) >> 4;
    if (!EXPORTED.has(binding) || bytes.readUInt16LE(at + 6) === SHN_UNDEF) continue;
    const start = names.offset + bytes.readUInt32LE(at);
    found.push(bytes.subarray(start, bytes.indexOf(0, start)).toString('latin1'));
  }
  return found.toSorted();
}
