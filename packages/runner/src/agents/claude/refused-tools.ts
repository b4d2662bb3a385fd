/** Tools that wait for a person at a terminal. There is none: a run that used them would wait for ever. */
export const REFUSED_TOOLS = ['AskUserQuestion', 'EnterPlanMode', 'ExitPlanMode'] as const

/** The SDK's own timers, which end with the run and tell nobody: the host's tasks take their place where it has some. */
export const TIMER_TOOLS = ['CronCreate', 'CronDelete', 'CronList', 'ScheduleWakeup'] as const

/** Why a tool is refused, told to the model; undefined: it is not. */
export function refusalOf(toolName: string): string | undefined {
  if (!REFUSED_TOOLS.some((refused) => refused === toolName)) return undefined
  return `${toolName} needs a person at a terminal, and nobody is there. Decide by yourself, or end your turn with what you need to know: the answer comes as the next message.`
}

/** Told to the model when a tool needs a permission that nobody is there to give. */
export function nobodyToAsk(toolName: string): string {
  return `${toolName} was not permitted beforehand, and nobody is there to be asked. Do without it, or say in your answer what you need it for.`
}
