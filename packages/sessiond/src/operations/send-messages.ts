import type { SendRequest } from '../api.ts'
import type { HostConfig } from '../config/config.ts'
import { parseSend } from '../decide/parse-send.ts'
import { SessiondError } from '../model/errors.ts'
import type { NewMessage, SendReceipt } from '../model/message.ts'
import type { DiskFloor } from '../observe/disk-floor.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'
import { belowFloor } from './below-floor.ts'

export interface SendDeps {
  readonly config: HostConfig
  readonly world: World
  readonly store: Store
  readonly diskFloor: Pick<DiskFloor, 'look'>
  readonly isStopping: () => boolean
  /** The messages are durable: let their sessions see them. */
  readonly onAccepted: (messages: readonly NewMessage[]) => void
}

/** Accepts requests, one outcome each, in order; what is refused harms no other. Durable when it resolves. */
export async function sendMessages(
  deps: SendDeps,
  requests: readonly SendRequest[],
): Promise<(SendReceipt | SessiondError)[]> {
  if (deps.isStopping()) throw new SessiondError('HOST_STOPPING', 'The host is shutting down and takes no messages.')
  const nowMs = deps.world.now()
  const parsed = await refuseBelowFloor(
    deps,
    requests.map((request) => parseOrError(deps, request, nowMs)),
  )
  const messages = parsed.filter(isMessage)
  const outcomes = messages.length === 0 ? [] : await deps.store.accept(messages, nowMs)
  await deps.world.boundary('send:committed')
  deps.onAccepted(messages.filter((_, index) => !(outcomes[index] instanceof Error)))
  let next = 0
  return parsed.map((message) => (message instanceof SessiondError ? message : outcomeAt(outcomes, next++)))
}

/** Below the disk floor, refuses what is new; who merely asks again is told that it was accepted. */
async function refuseBelowFloor(
  { diskFloor, store }: SendDeps,
  parsed: readonly (NewMessage | SessiondError)[],
): Promise<readonly (NewMessage | SessiondError)[]> {
  const messages = parsed.filter(isMessage)
  const refusal = messages.length === 0 ? null : await belowFloor(diskFloor)
  if (refusal === null) return parsed
  const accepted = new Set((await store.getMessages(messages.map(({ id }) => id))).map(({ id }) => id))
  return parsed.map((message) => (isMessage(message) && !accepted.has(message.id) ? refusal : message))
}

function isMessage(parsed: NewMessage | SessiondError): parsed is NewMessage {
  return !(parsed instanceof SessiondError)
}

function outcomeAt(outcomes: readonly (SendReceipt | Error)[], index: number): SendReceipt | SessiondError {
  const outcome = outcomes[index]
  if (outcome === undefined) throw new Error('The store answered fewer messages than it was given')
  if (outcome instanceof Error && !(outcome instanceof SessiondError)) throw outcome
  return outcome
}

function parseOrError(deps: SendDeps, request: SendRequest, nowMs: number): NewMessage | SessiondError {
  const rules = { groups: deps.config.groups, textBytes: deps.config.limits.textBytes }
  try {
    return parseSend(request, rules, nowMs, () => deps.world.newId('m-'))
  } catch (error) {
    if (error instanceof SessiondError) return error
    throw error
  }
}
