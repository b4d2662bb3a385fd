import { SessiondError } from '../../model/errors.ts'
import type { CliContext } from '../cli-context.ts'

export interface PruneLayout {
  readonly layout: string
  readonly root: string
  readonly apply: boolean
  readonly trash: boolean
  readonly json: boolean
}

/** Cleans an installation of another layout. */
export async function pruneLayout(_context: CliContext, { layout }: PruneLayout): Promise<void> {
  throw new SessiondError('BAD_REQUEST', `The layout ${layout} is not known yet.`)
}
