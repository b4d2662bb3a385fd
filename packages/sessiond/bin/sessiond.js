#!/usr/bin/env node
// Old syntax on purpose: this must run, and speak plainly, under any Node there is.
var version = process.versions.node
var cure = 'Install a newer one, or add the package `node` to your project and use npx.'
var emitWarning = process.emitWarning

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

if (Number(version.split('.')[0]) >= 24) {
  process.emitWarning = emitUsefulWarning
  // Written plainly, import() would be a syntax error to the very Node versions that are to be told.
  new Function('file', 'return import(file)')('../dist/cli/main.js').catch(fail)
} else {
  process.stderr.write('sessiond needs Node 24 or newer; this is v'.concat(version, '. ', cure, '\n'))
  process.exitCode = 1
}
