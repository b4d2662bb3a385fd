import { ENVIRONMENT_OVERRIDES } from '../../src/config/environment.ts'
import { listOptions, type OptionEntry } from '../../src/config/list-options.ts'

const SECTIONS: readonly (readonly [prefix: string, title: string, intro: string])[] = [
  ['', 'Host', 'Where things are kept, and the zone of groups that name none.'],
  ['api', 'api', 'The HTTP API. Its token lies in the file `api-token` of the data directory.'],
  [
    'groups.<name>',
    'groups',
    'Kinds of agents by name; at least one. Each has either `agent` (a command, run by the bundled runner) or `runner` (your own). `mounts`, `image`, `network` and `user` need `runtime: docker`.',
  ],
  [
    'sinks.<name>',
    'sinks',
    'Webhooks by name. A group lists the sinks its replies go to; the event stream gets them all.',
  ],
  ['mounts', 'mounts', 'What groups may mount at all. Links are resolved and checked again before every start.'],
  ['docker', 'docker', 'The container engine.'],
  ['runs', 'runs', 'How many runs there may be, and how they end.'],
  ['spawn', 'spawn', 'Starts that fail before a first claim; they spend no try.'],
  ['stuck', 'stuck', 'When a run is taken for stuck. A group may override each.'],
  ['retry', 'retry', 'How failed messages are tried again. A group may override each.'],
  [
    'retention',
    'retention',
    'How long what sessions leave behind is kept: [retention.md](retention.md). `null` in the place of a class of files (`telemetry: null`) switches it off. A class has at least one of `age`, `count` and `size`; what is beyond any one of them goes.',
  ],
  [
    'groups.<name>.retention',
    'retention of a group',
    'The same of one group: what is left out is as on the host, names in `keep` are added to those of the host, `null` switches a class off.',
  ],
  ['cleaning', 'cleaning', 'When and how hard the host cleans.'],
  ['sweep', 'sweep', 'The safety net behind the events.'],
  ['mailbox', 'mailbox', 'How much a run sees and says at once.'],
  ['limits', 'limits', 'What is refused.'],
  ['shutdown', 'shutdown', 'How the host stops.'],
  ['log', 'log', "The host's own log."],
]

const INTRO = `# Configuration

<!-- Made from the schema in packages/sessiond/src/config: change it there, then run the tests with \`-u\`. -->

sessiond reads \`sessiond.config.ts\`, \`.mjs\` or \`.json\` in the working directory (exactly one), or the file named by
\`--config\` or \`SESSIOND_CONFIG\`. \`sessiond init\` writes one with comments. The smallest:

\`\`\`ts
import { defineConfig } from 'sessiond'

export default defineConfig({ groups: { shell: { agent: { command: ['sh'] } } } })
\`\`\`

- **Durations** are text such as \`'250ms'\`, \`'30s'\`, \`'30m'\`, \`'1h30m'\`, \`'2d'\`, or a whole number of milliseconds.
- **Sizes** are text such as \`'512B'\`, \`'64KiB'\`, \`'2MiB'\`, \`'1GiB'\`, or a whole number of bytes.
- **Secrets** are taken from the host's environment with \`{ fromEnv: 'NAME' }\` and so stay out of the file.
- Everything wrong is told at once: option, value, rule and cure. Unknown options are refused, the likely one is named.
- A configuration takes effect at the next start of the host.
`

/** The whole of docs/configuration.md. */
export function renderConfiguration(): string {
  const entries = listOptions()
  const sections = SECTIONS.map(([prefix, title, intro]) => {
    const own = entries.filter((entry) => sectionOf(entry.path) === prefix)
    return `## ${title}\n\n${intro}\n\n${table(own)}`
  })
  return [INTRO, ...sections, PAIRS, environment()].join('\n')
}

function sectionOf(path: string): string {
  const match = SECTIONS.map(([prefix]) => prefix).filter((prefix) => prefix !== '' && path.startsWith(`${prefix}.`))
  return match.reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest), '')
}

function table(entries: readonly OptionEntry[]): string {
  const rows = entries.map(({ path, about, unit, defaultText, tooLow = '', tooHigh = '' }) => [
    `\`${path}\``,
    about,
    unit,
    defaultText,
    tooLow,
    tooHigh,
  ])
  return aligned([['option', 'what it does', 'unit', 'default', 'too low', 'too high'], ...rows])
}

/** A table the formatter leaves as it is: every column as wide as its widest cell. */
function aligned([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('')
}

const PAIRS = `## Pairs

Options that must agree are checked together:

- \`runs.maxStarting\` is at most \`runs.max\`.
- \`spawn.base\`, \`retry.base\` and a sink's \`base\` are at most their \`max\`.
- \`stuck.claimSilent\` is at most \`stuck.ceiling\`, \`modelSilent\` at most \`modelPinging\`, \`toolSilent\` and \`silent\` at
  most \`busyCeiling\`, also where a group overrides one of them, and for each entry of \`tools\`.
- A group's \`agent.timeout\` is at most the \`stuck.maxToolTimeout\` that holds for it, its own or the host's.
- \`limits.text\` is at most \`mailbox.window\`, and at least 1 KiB below \`api.maxBody\`.
- \`shutdown.drain\` is more than \`runs.stopGrace\`, or 0.
- \`shutdown.drain\` + \`runs.stopGrace\` + \`runs.killWait\` fit into \`shutdown.stopTimeout\`.
- A docker group has an image; a process group has none of \`image\`, \`network\`, \`user\`, \`mounts\`.
- A mount lies below a root of \`mounts.roots\`, is writable only where that root is, and never reaches \`dataDir\`.
- \`cleaning.budget\` is at most \`cleaning.every\`.
- A class of files has at least one of \`age\`, \`count\` and \`size\`, also where a group overrides some of them.
- A class of one's own (\`retention.artifacts\`) has a name of its own; its \`root\` neither is nor holds \`dataDir\`, and
  within \`dataDir\` its patterns lie below \`sessions/<group>/<session>/work\`; each pattern captures what \`protects\`
  needs, is not spelt as a name in \`keep\`, and names something no class or pattern before it has taken already.
- The sinks a group names exist; two groups (or sinks) differ by more than case.
`

function environment(): string {
  const rows = Object.entries(ENVIRONMENT_OVERRIDES).map(([variable, path]) => [`\`${variable}\``, `\`${path}\``])
  return `## Environment

These variables override the file. One that is set to something invalid is an error that names the variable; an empty
one counts as not set; one that is nearly spelt like them is refused.

${aligned([['variable', 'sets'], ...rows])}
\`SESSIOND_CONFIG\` names the configuration file itself.
`
}
