/** Arguments for Node with which a child resolves and loads modules as this process does. */
export function inheritedArguments(program: URL): readonly string[] {
  return [...process.execArgv.filter(isNeeded), ...conditionsOf(program)]
}

/** What concerns modules; nothing that debugs, profiles or hooks. */
function isNeeded(argument: string): boolean {
  return argument.startsWith('--conditions=') || argument.startsWith('--disable-warning=')
}

/** A child from sources resolves its packages to sources too, however this process was told to. */
function conditionsOf(program: URL): readonly string[] {
  return program.pathname.endsWith('.ts') ? ['--conditions=sessiond-source'] : []
}
