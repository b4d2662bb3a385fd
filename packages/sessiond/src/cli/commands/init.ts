import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CONFIG_FILES } from '../../config/load-config.ts'
import { SessiondError } from '../../model/errors.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { CONFIG_TEMPLATE } from '../config-template.ts'
import { printResult } from '../print-result.ts'

/** `sessiond init`: writes a commented sessiond.config.ts; never over anything. */
export function addInit(program: Command, context: CliContext): void {
  addCommand(program, 'init', 'write a commented sessiond.config.ts here').action(async (options: CommonOptions) => {
    const present = CONFIG_FILES.map((name) => join(context.cwd, name)).find((file) => existsSync(file))
    if (present !== undefined) throw exists(present)
    const file = join(context.cwd, 'sessiond.config.ts')
    await writeNew(file)
    printResult(context, options, { file }, () => `Wrote ${file}\nStart the host with: sessiond up\n`)
  })
}

async function writeNew(file: string): Promise<void> {
  try {
    // wx: also a file that appeared just now, or a link, is left alone.
    await writeFile(file, CONFIG_TEMPLATE, { flag: 'wx' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') throw exists(file)
    throw new SessiondError('BAD_REQUEST', `${file} cannot be written (${code ?? 'unknown'}).`, {
      cure: 'Run it in a directory you may write to.',
      fields: { file },
      cause,
    })
  }
}

function exists(file: string): SessiondError {
  return new SessiondError('CONFIG_EXISTS', `${file} is there already and was left as it is.`, { fields: { file } })
}
