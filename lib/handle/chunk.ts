// Chunks as streams write them: bytes, or a string with its encoding.
import { Buffer } from 'node:buffer';

/** A chunk as streams queue it. */
export interface EncodedChunk {
  chunk: Uint8Array | string;
  encoding: BufferEncoding;
}

/** The bytes of a chunk. A view of `chunk` itself unless it is a string. */
export function bytesOf(chunk: Uint8Array | string, encoding: BufferEncoding | undefined): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** The bytes of several chunks, copied into one buffer. */
export function concatenated(chunks: readonly EncodedChunk[]): Buffer {
  return Buffer.concat(chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding)));
}

/** The size of a chunk in bytes. */
export function sizeOf(chunk: Uint8Array | string, encoding: BufferEncoding | undefined): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
}

/** The size of several chunks in bytes. */
export function totalSize(chunks: readonly EncodedChunk[]): number {
  return chunks.reduce((total, { chunk, encoding }) => total + sizeOf(chunk, encoding), 0);
}
