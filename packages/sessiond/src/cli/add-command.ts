import type { Command } from 'commander'

/** A command with the options every command has. */
export function addCommand(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option('--config <file>', 'configuration file (default: the one in this directory)')
    .option('--json', 'print JSON for programs; errors too, on standard error')
}
