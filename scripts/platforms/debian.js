// Packages of a newer Debian, unpacked into the cache: nothing is installed on the machine, and no package's script runs.
// They come from the mirror that the machine's own apt is set up with, and are verified with Debian's keys.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const cache = require('./cache.js');
const { Unavailable, attempt, download, need, run, step } = require('./commands.js');

const RELEASE = 'trixie';
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FRESH_MS = 24 * 3600_000;

/** The address of a Debian mirror, as the machine's apt has it. It is never written into the checkout. */
function mirror() {
  need('apt-get', 'Debian packages are needed');
  need('dpkg', 'Debian packages are needed');
  const known = () => attempt('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Label: Debian']).output.trim();
  let found = known();
  if (!found) {
    // A container image comes without lists, and apt knows a label only from a list.
    attempt('apt-get', ['update', '-q']);
    found = known();
  }
  const address = found.split('\n')[0];
  if (!address || !fs.existsSync(KEYS)) throw new Unavailable("the machine's apt has no Debian mirror");
  return address;
}

/** Settings of an apt of its own, for both architectures, with its lists read. */
function settings() {
  const folder = cache.at('debian');
  const file = path.join(folder, 'apt.conf');
  if (fs.existsSync(file) && Date.now() - fs.statSync(file).mtimeMs < FRESH_MS) return file;
  step(`reading the package lists of Debian ${RELEASE}`);
  for (const name of ['lists/partial', 'archives/partial']) fs.mkdirSync(path.join(folder, name), { recursive: true });
  const address = mirror();
  const sources = [RELEASE, `${RELEASE}-backports`].map(
    (suite) => `deb [signed-by=${KEYS}] ${address} ${suite} main\n`,
  );
  fs.writeFileSync(path.join(folder, 'sources.list'), sources.join(''));
  const text = `Dir::Etc::SourceList "${folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "${folder}/lists";
Dir::State::Status "/dev/null";
Dir::Cache "${folder}";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "${process.env['USER'] ?? 'root'}";
Acquire::Languages "none";
`;
  const unfinished = `${file}.unfinished`;
  fs.writeFileSync(unfinished, text);
  download('apt-get', ['update', '-q'], { env: { APT_CONFIG: unfinished }, log: 'apt-update' });
  fs.renameSync(unfinished, file);
  return file;
}

/**
 * The versions of a package that the mirror has, newest first.
 * @param {string} name
 */
function versions(name) {
  const { output } = attempt('apt-cache', ['madison', name], { env: { APT_CONFIG: settings() } });
  const found = output.split('\n').map((line) => line.split('|')[1]?.trim() ?? '');
  return [...new Set(found)].filter((version) => version !== '');
}

/**
 * Packages, unpacked over one another into a folder of the cache.
 * @param {string} folder
 * @param {string[]} names a package each, as apt-get takes it: `name`, `name:arm64`, `name=version`
 * @param {boolean} [own] of the machine's own release, for programs that need no newer C library than there is
 */
function unpacked(folder, names, own = false) {
  return cache.once(`debian/${folder}`, (made) => {
    step(`Debian packages: ${names.join(', ')}`);
    if (own) mirror();
    const env = own ? {} : { APT_CONFIG: settings() };
    const files = cache.emptied('debian', 'packages');
    download('apt-get', ['download', '-q', ...names], { cwd: files, env, log: `apt-${folder}` });
    for (const file of fs.readdirSync(files)) run('dpkg', ['-x', path.join(files, file), made]);
    fs.rmSync(files, { recursive: true });
  });
}

module.exports = { RELEASE, mirror, unpacked, versions };
