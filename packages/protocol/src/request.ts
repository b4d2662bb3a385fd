/**
 * What an agent may ask of its host, for its own session alone: a row of `messages_out` of kind `system` whose content
 * is a JSON object with one of these as `action` and the rest as the action's parameters.
 */
export const REQUEST_ACTIONS = [
  'schedule_task',
  'list_tasks',
  'update_task',
  'pause_task',
  'resume_task',
  'cancel_task',
] as const

export type RequestAction = (typeof REQUEST_ACTIONS)[number]
