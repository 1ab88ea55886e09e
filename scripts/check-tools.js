// Says in one sentence what is missing before a build starts, instead of a page of another program's errors.
// It runs on whatever Node is installed, so it keeps to syntax that very old versions can parse.
'use strict';

var childProcess = require('child_process');
var fs = require('fs');
var path = require('path');

var root = path.join(__dirname, '..');

/** @param {string} sentence */
function stop(sentence) {
  console.error('ferronet: ' + sentence);
  process.exit(1);
}

/**
 * The first version number in a text, as three integers.
 * @param {string} text
 */
function versionIn(text) {
  var found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] || 0)] : [0, 0, 0];
}

/**
 * @param {number[]} version
 * @param {number[]} wanted
 */
function isOlder(version, wanted) {
  for (var i = 0; i < 3; i++) {
    if (version[i] !== wanted[i]) return Number(version[i]) < Number(wanted[i]);
  }
  return false;
}

/** @param {string} file */
function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

function checkNode() {
  var range = String(JSON.parse(read('package.json')).engines.node);
  if (isOlder(versionIn(process.version), versionIn(range))) {
    stop('Node ' + range.replace(/[^\d.]/g, '') + ' or newer is needed, and this is ' + process.version + '.');
  }
}

function checkInstall() {
  if (!fs.existsSync(path.join(root, 'node_modules', '@napi-rs', 'cli'))) {
    stop('the build tools are not installed yet: run `npm install` in this folder first.');
  }
}

function checkCargo() {
  var get = 'install a stable Rust toolchain (https://rustup.rs) and open a new terminal.';
  var cargo = process.env.CARGO || 'cargo';
  var run = childProcess.spawnSync(cargo, ['--version'], { cwd: root, encoding: 'utf8' });
  if (run.error) stop('`' + cargo + '` was not found, and the native part is built with it: ' + get);
  // rustup installs a `cargo` that works only once a toolchain is chosen.
  if (run.status !== 0) stop('`' + cargo + ' --version` fails, so there is no usable Rust toolchain: ' + get);

  // A workspace without this line puts up with any version.
  var wanted = /^\s*rust-version\s*=\s*"([^"]+)"/m.exec(read('Cargo.toml'));
  if (wanted && isOlder(versionIn(run.stdout), versionIn(String(wanted[1])))) {
    stop(
      'Rust ' + wanted[1] + ' or newer is needed, and this is ' + run.stdout.trim() + ': run `rustup update stable`.',
    );
  }
}

checkNode();
checkInstall();
checkCargo();
