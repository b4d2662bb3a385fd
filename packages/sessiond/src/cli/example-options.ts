import type { HostOptions } from '../config/options.ts'

/** Folder below the working directory where `up --example` keeps everything. */
export const EXAMPLE_DIR = '.sessiond-example'

/** What `up --example` runs: an agent that runs the text as a script in its session's own workspace. */
export const EXAMPLE_OPTIONS: HostOptions = {
  dataDir: EXAMPLE_DIR,
  groups: { shell: { agent: { command: ['sh'] }, env: { LANG: 'C.UTF-8' } } },
}
