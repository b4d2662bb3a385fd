#!/usr/bin/env node
// Old syntax on purpose: this must run, and speak plainly, under any Node there is.
var version = process.versions.node
var cure = 'Install a newer one, or add the package `node` to your project and use npx.'
var emitWarning = process.emitWarning
// V8 lets the young generation grow to some 100 MB in a burst and seldom gives it back. A host lives long, and a
// smaller one costs it nothing that could be measured. V8 takes this for certain only when it starts.
var SMALL_YOUNG_GENERATION = '--max-semi-space-size=4'

// node:sqlite works but still announces itself as experimental; nobody can act on that here.
function emitUsefulWarning(warning, type, code, from) {
  if (String(warning).indexOf('SQLite is an experimental feature') !== -1) return
  emitWarning.call(process, warning, type, code, from)
}

function fail(error) {
  var isUnbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist/cli/main.js') !== -1
  var words = isUnbuilt ? 'sessiond is not built: run `npm run build` first.' : String(error.stack)
  process.stderr.write(words.concat('\n'))
  process.exitCode = 1
}

/** Becomes the same program, same process, with the flag; where that is impossible it goes on without. */
function startAnewAsHost() {
  var isFlagged = process.execArgv.concat(process.env.NODE_OPTIONS).join(' ').indexOf('--max-semi-space-size') !== -1
  if (process.argv.indexOf('up') === -1 || isFlagged || !process.execve) return
  var argv = [process.execPath, SMALL_YOUNG_GENERATION].concat(process.execArgv, process.argv.slice(1))
  process.execve(process.execPath, argv, process.env)
}

if (Number(version.split('.')[0]) >= 24) {
  startAnewAsHost()
  process.emitWarning = emitUsefulWarning
  // Written plainly, import() would be a syntax error to the very Node versions that are to be told.
  new Function('file', 'return import(file)')('../dist/cli/main.js').catch(fail)
} else {
  process.stderr.write('sessiond needs Node 24 or newer; this is v'.concat(version, '. ', cure, '\n'))
  process.exitCode = 1
}
