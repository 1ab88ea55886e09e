/**
 * Whether the `net` of this process gives the descriptors of its sockets, and takes some: not on Windows, where a second owner
 * cannot have a socket, and not in Bun and Deno, whose sockets have none.
 */
export function hasDescriptors(): boolean {
  const { bun, deno } = process.versions;
  return process.platform !== 'win32' && bun === undefined && deno === undefined;
}
