import { parseSessionArgument } from './session-argument.ts'

const RUN = /^(.+)#([1-9][0-9]{0,14})$/

/** A session has a slash, a run a number behind it, and all else is a message. Throws as `parseSessionArgument` does. */
export function parseWhyArgument(argument: string): { session?: string; run?: number; message?: string } {
  const [, session, run] = RUN.exec(argument) ?? []
  if (session !== undefined && run !== undefined) return { session: parseSessionArgument(session).id, run: Number(run) }
  return argument.includes('/') ? { session: parseSessionArgument(argument).id } : { message: argument }
}
