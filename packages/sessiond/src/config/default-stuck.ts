import { stuckOf } from './compile-group.ts'
import type { StuckPolicy } from './config.ts'
import { hostStuckSchema } from './stuck-schema.ts'

/** The judgement of a host that configures none. */
export const DEFAULT_STUCK: StuckPolicy = stuckOf({ tools: {} }, hostStuckSchema.parse({}))
