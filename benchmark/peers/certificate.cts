// A certificate for servers that are measured: the one of the tests, which no system trusts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = join(__dirname, '..', '..', '..', '__test__', '_helpers', 'certificate.ts');

/** Read from the text: the tests are a project of TypeScript's of their own. */
export function readCertificate(): { key: string; cert: string } {
  const text = readFileSync(TESTS, 'utf8');
  const [key, cert] = text.match(/-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\n/gs) ?? [];
  if (!key || !cert) throw new Error(`there is no certificate in ${TESTS}`);
  return { key, cert };
}
