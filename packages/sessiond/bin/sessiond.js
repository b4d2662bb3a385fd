#!/usr/bin/env node
// Old syntax on purpose: this must run, and speak plainly, under any Node there is.
var major = Number(process.versions.node.split('.')[0])
var emitWarning = process.emitWarning

function start() {
  // node:sqlite works but still announces itself as experimental; nobody can act on that here.
  process.emitWarning = (warning, type, code, from) => {
    if (String(warning).indexOf('SQLite is an experimental feature') === -1) {
      emitWarning.call(process, warning, type, code, from)
    }
  }
  // Written plainly, import() would be a syntax error to the very Node versions that are to be told.
  new Function('file', 'return import(file)')('../dist/cli/main.js').catch(fail)
}

function fail(error) {
  var isUnbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).indexOf('dist/cli/main.js') !== -1
  process.stderr.write(
    (isUnbuilt ? 'sessiond is not built: run `npm run build` first.' : String(error.stack)).concat('\n'),
  )
  process.exitCode = 1
}

if (major >= 24) {
  start()
} else {
  process.stderr.write(
    'sessiond needs Node 24 or newer; this is v'.concat(
      process.versions.node,
      '. Install a newer one, or add the package `node` to your project and use npx.\n',
    ),
  )
  process.exitCode = 1
}
