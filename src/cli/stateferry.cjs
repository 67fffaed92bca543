#!/usr/bin/env node
// The installed command: runs the program by a Node that is new enough, the one that reads this file or else the one that was
// installed beside the package. Old Nodes read this file, so it is in their language.
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { dirname, join } = require('node:path');
const { pathToFileURL } = require('node:url');

const PROGRAM = join(__dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
/** `engines` of package.json. */
const AT_LEAST = [22, 18];

const [major, minor] = process.versions.node.split('.').map(Number);
const isNewEnough = major > AT_LEAST[0] || (major === AT_LEAST[0] && minor >= AT_LEAST[1]);

function installedNode() {
  try {
    return join(dirname(require.resolve(`node-linux-${process.arch}/package.json`)), 'bin', 'node');
  } catch {
    return null;
  }
}

function runBy(node) {
  const child = spawn(node, [PROGRAM, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}

const node = isNewEnough ? process.execPath : installedNode();
if (isNewEnough) {
  import(pathToFileURL(PROGRAM).href);
} else if (node !== null) {
  runBy(node);
} else {
  console.error(`stateferry needs Node ${AT_LEAST.join('.')} or later; this is ${process.versions.node}`);
  process.exitCode = 1;
}
