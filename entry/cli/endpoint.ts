// Where to listen or to connect to, as it is written on a command line.
import { UsageError } from './command.js';

export type Endpoint = { port: number; host?: string } | { path: string };

/** For the help of what listens. */
export const LISTEN_DETAILS = `A port alone listens on all addresses of this machine, so that other machines can connect;
with 127.0.0.1:PORT only programs on this machine can.`;

const FORMS = 'PORT, HOST:PORT, [IPv6]:PORT, or a path with a / in it';

/**
 * @param text `8080`, `localhost:8080`, `[::1]:8080`, `./socket`, `\\.\pipe\name`
 * @throws UsageError
 */
export function readEndpoint(text: string): Endpoint {
  if (/[/\\]/.test(text)) return { path: text };
  const { host, bare, port } =
    /^(?:(?:\[(?<bare>[^\]]+)\]|(?<host>[^:]+)):)?(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) throw new UsageError(`'${text}' is no address: ${FORMS}`);
  const name = bare ?? host;
  return name === undefined ? { port: Number(port) } : { port: Number(port), host: name };
}

/** As it is written. */
export function endpointText(address: unknown): string {
  if (typeof address !== 'object' || address === null) return String(address);
  const {
    path,
    port,
    host,
    address: ip,
  } = address as { path?: string; port?: number; host?: string; address?: string };
  if (path !== undefined) return path;
  const name = ip ?? host ?? 'localhost';
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}
