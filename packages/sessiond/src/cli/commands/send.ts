import type { Command } from 'commander'
import type { SendRequest } from '../../api.ts'
import { toSafeJson } from '../../model/escape.ts'
import type { SendReceipt } from '../../model/message.ts'
import { addCommand } from '../add-command.ts'
import type { CliContext, CommonOptions } from '../cli-context.ts'
import { findHost } from '../find-host.ts'
import { formatAge, formatInstant } from '../format/time.ts'
import { durationMs } from '../parse-option.ts'
import { checkText, readText } from '../read-text.ts'
import { parseMessageArgument, parseSessionArgument } from '../session-argument.ts'
import { waitForReply } from '../wait-for-reply.ts'

interface SendOptions extends CommonOptions {
  readonly id?: string
  readonly after?: string
  readonly context?: boolean
  /** True: without limit. */
  readonly wait?: true | number
}

/** `sessiond send`: durable once it prints the receipt; with `--wait` the replies as they come. */
export function addSend(program: Command, context: CliContext): void {
  addCommand(program, 'send', 'send a message; it is safe once the receipt is printed')
    .argument('<session>', '<group>/<session>, or <group> for its session main')
    .argument('<text>', 'the text, or - to read it from standard input')
    .option('--id <id>', 'id of the message: sending it again changes nothing')
    .option('--after <time>', 'when it becomes due: an instant with its zone, or a span such as 10m')
    .option('--context', 'context only: wakes nobody, handed over with the next message')
    .option('--wait [timeout]', 'wait for the end and print the replies', durationMs)
    .action(async (target: string, given: string, options: SendOptions) => {
      const { group, session } = parseSessionArgument(target)
      const id = options.id === undefined ? undefined : parseMessageArgument(options.id)
      const found = await findHost(options, context)
      const { textBytes } = found.config.limits
      const text = checkText(given === '-' ? await readText(context.stdin, textBytes) : given, textBytes)
      const request: SendRequest = {
        group,
        session,
        text,
        ...(id === undefined ? {} : { id }),
        ...(options.after === undefined ? {} : { after: options.after }),
        ...(options.context === true ? { context: true } : {}),
      }
      const receipt = await found.client.send(request)
      printReceipt(receipt, options, context)
      if (options.wait !== undefined) await waitForReply(found, receipt, options, context)
    })
}

function printReceipt(receipt: SendReceipt, options: SendOptions, context: CliContext): void {
  const { messageId, sessionId, processAfterMs, duplicate } = receipt
  const nowMs = context.now()
  const due =
    processAfterMs > nowMs ? `, due ${formatInstant(processAfterMs)} (${formatAge(processAfterMs, nowMs)})` : ''
  const words = `${messageId} ${duplicate ? 'had been accepted before' : 'accepted'} for ${sessionId}${due}\n`
  if (options.json === true) context.out(`${toSafeJson(receipt)}\n`)
  // With --wait standard output belongs to the replies.
  else if (options.wait === undefined) context.out(words)
  else context.err(words)
}
