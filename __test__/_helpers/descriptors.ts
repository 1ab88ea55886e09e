// The open descriptors of this process.
import { readdirSync, readlinkSync } from 'node:fs';

const FOLDER = '/proc/self/fd';

/** Without timers: a reactor makes one when it first needs it, and keeps it as long as it lives. */
export function descriptors(): number {
  return readdirSync(FOLDER).filter((fd) => {
    try {
      return !readlinkSync(`${FOLDER}/${fd}`).includes('[timerfd]');
    } catch {
      return false; // the one that the folder was read by
    }
  }).length;
}
