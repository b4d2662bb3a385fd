/** What `sessiond init` writes: works as it is, and shows what most people change first. */
export const CONFIG_TEMPLATE = `import { defineConfig } from 'sessiond'

// Every option with its unit, its default, and what too low and too high do: docs/configuration.md
// Durations: '250ms', '30s', '30m', '1h30m'. Sizes: '64KiB', '2MiB'.
export default defineConfig({
  // Where everything is kept, relative to this file. A local disk, not a network share.
  dataDir: './.sessiond',

  // The zone of groups that name none.
  timeZone: 'UTC',

  groups: {
    // sessiond send shell 'date; ls -l' --wait
    // The text goes to the command's standard input, its standard output is the reply. The command runs in the
    // session's own workspace, which is kept between messages. Runtime 'process' puts no wall around it.
    shell: {
      agent: { command: ['sh'], timeout: '30m' },
    },

    // The same in a container: no network but the one named, read-only root, no capabilities, bounded memory.
    // coder: {
    //   runtime: 'docker',
    //   image: 'node:24',
    //   agent: { command: ['my-agent', '--print'] },
    //   env: { API_KEY: { fromEnv: 'API_KEY' } }, // taken from the host's environment, never in this file
    //   mounts: [{ source: './shared', target: '/shared' }], // below one of mounts.roots
    //   limits: { memory: '2GiB', cpus: 2 },
    //   sinks: ['chat'],
    // },
  },

  // Replies also go to these webhooks, signed, retried, in order within a session.
  // sinks: {
  //   chat: { url: 'https://example.org/replies', secret: { fromEnv: 'WEBHOOK_SECRET' } },
  // },

  // Folders from which groups may mount.
  // mounts: { roots: [{ path: './shared' }] },

  // How many runs there may be at once, and when an idle one stops.
  runs: { max: 10, idleStop: '5m' },

  // When a run counts as stuck, and how often a failed message is tried again.
  stuck: { claimSilent: '60s', ceiling: '30m' },
  retry: { maxTries: 5, base: '5s' },

  // How long what agents leave behind is kept, and how often the host cleans: docs/retention.md
  // retention: { transcripts: { age: '30d' }, telemetry: null },
  cleaning: { every: '1d' },
})
`
