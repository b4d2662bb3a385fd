import { Command } from 'commander'
import { VERSION } from '../version.ts'
import type { CliContext } from './cli-context.ts'
import { addBacktest } from './commands/backtest.ts'
import { addCancel } from './commands/cancel.ts'
import { addClose } from './commands/close.ts'
import { addDead } from './commands/dead.ts'
import { addDoctor } from './commands/doctor.ts'
import { addHealth } from './commands/health.ts'
import { addInit } from './commands/init.ts'
import { addInspect } from './commands/inspect.ts'
import { addLogs } from './commands/logs.ts'
import { addProbe } from './commands/probe.ts'
import { addPrune } from './commands/prune.ts'
import { addRuns } from './commands/runs.ts'
import { addSchedule } from './commands/schedule.ts'
import { addSend } from './commands/send.ts'
import { addSessions } from './commands/sessions.ts'
import { addShow } from './commands/show.ts'
import { addStop } from './commands/stop.ts'
import { addSweep } from './commands/sweep.ts'
import { addTail } from './commands/tail.ts'
import { addTasks } from './commands/tasks.ts'
import { addUp } from './commands/up.ts'
import { addWhy } from './commands/why.ts'
import { addZone } from './commands/zone.ts'

/** The whole command line; each command is a file of its own. For a program (`isJson`) no help goes to standard error. */
export function createProgram(context: CliContext, isJson: boolean): Command {
  const program = new Command('sessiond')
    .description('Supervises AI-agent sessions: durable messages, one run per session, no loss or doubling.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out(text),
      writeErr: (text) => (isJson ? undefined : context.err(text)),
      // Usage errors are told by reportError, once, in the form that was asked for.
      outputError: () => {},
    })
    .showSuggestionAfterError()
  const adders = [
    addInit,
    addUp,
    addSend,
    addSchedule,
    addTasks,
    addZone,
    addSessions,
    addShow,
    addTail,
    addRuns,
    addWhy,
    addLogs,
    addDead,
    addStop,
    addCancel,
    addClose,
    addSweep,
    addPrune,
    addBacktest,
    addProbe,
    addInspect,
    addDoctor,
    addHealth,
  ]
  for (const add of adders) add(program, context)
  return program
}
