import type { z } from '@hono/zod-openapi'
import { expectTypeOf, it } from 'vitest'
import type { Health, HostEvent, SeriesDetail, SessionDetail, SweepReport } from '../../src/api.ts'
import type { LedgerCheck } from '../../src/decide/check-ledger.ts'
import type { eventSchema, healthSchema, sweepReportSchema } from '../../src/http/schemas/host.ts'
import type {
  deadLetterSchema,
  deliverySchema,
  messageSchema,
  receiptSchema,
  replySchema,
} from '../../src/http/schemas/message.ts'
import type { runSchema } from '../../src/http/schemas/run.ts'
import type {
  ledgerCheckSchema,
  ledgerLineSchema,
  seriesDetailSchema,
  seriesSchema,
} from '../../src/http/schemas/series.ts'
import type { sessionDetailSchema, sessionSchema, sessionSummarySchema } from '../../src/http/schemas/session.ts'
import type { Message, SendReceipt } from '../../src/model/message.ts'
import type { Delivery, Reply } from '../../src/model/reply.ts'
import type { Run } from '../../src/model/run.ts'
import type { LedgerLine, Series } from '../../src/model/series.ts'
import type { Session, SessionSummary } from '../../src/model/session.ts'
import type { DeadLetter } from '../../src/store/store.ts'

/** True when both types have the same keys and each fits the other; the type checker is the test. */
type Same<A, B> = [keyof A, A] extends [keyof B, B] ? ([keyof B, B] extends [keyof A, A] ? true : false) : false

it('documents every model type property by property', () => {
  expectTypeOf<Same<Message, z.output<typeof messageSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<SendReceipt, z.output<typeof receiptSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Reply, z.output<typeof replySchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Delivery, z.output<typeof deliverySchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<DeadLetter, z.output<typeof deadLetterSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Run, z.output<typeof runSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Session, z.output<typeof sessionSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<SessionSummary, z.output<typeof sessionSummarySchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<SessionDetail, z.output<typeof sessionDetailSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<SweepReport, z.output<typeof sweepReportSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Series, z.output<typeof seriesSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<SeriesDetail, z.output<typeof seriesDetailSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<LedgerLine, z.output<typeof ledgerLineSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<LedgerCheck, z.output<typeof ledgerCheckSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<Same<Health, z.output<typeof healthSchema>>>().toEqualTypeOf<true>()
  expectTypeOf<keyof HostEvent>().toEqualTypeOf<keyof z.output<typeof eventSchema>>()
  expectTypeOf<Same<Omit<HostEvent, 'reply'>, Omit<z.output<typeof eventSchema>, 'reply'>>>().toEqualTypeOf<true>()
})
