import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, shellGroup, startHost } from './harness.ts'

afterEach(cleanUp)

const INNOCENTS = ['one', 'two', 'four', 'five']

describe('a poison message on the process runtime', () => {
  it.each([
    ['kills its run', 'kill -9 $PPID; sleep 600', 'exited'],
    ['makes the agent fail', 'exit 3', 'agent-failed'],
  ])('of a batch in which one message %s, four complete and that one is a dead letter', async (_, poison, because) => {
    const agent = { command: ['sh'], per: 'batch' as const }
    const test = await startHost({ shell: shellGroup('process', { agent }) })
    const texts = { one: 'echo one', two: 'echo two', poison, four: 'echo four', five: 'echo five' }
    await test.host.sendMany(Object.entries(texts).map(([id, text]) => ({ group: 'shell', id, text })))
    const failed = await test.untilType('message:failed')
    await test.untilType('message:completed', 4)
    expect(failed).toMatchObject({ messageId: 'poison', detail: { because, tries: 5, deadLetter: true } })
    expect(await test.host.listDead({})).toMatchObject([{ kind: 'message', message: { id: 'poison' } }])
    const completed = test.events.filter(({ type }) => type === 'message:completed').map(({ messageId }) => messageId)
    expect(completed).toEqual(INNOCENTS)
    for (const id of INNOCENTS) expect((await test.host.showMessage(id)).message.tries).toBe(2)
    expect(test.replies().filter((text) => !text.includes('poison'))).toEqual(INNOCENTS)
    const deaths = test.events.filter(({ type, detail }) => type === 'run:exited' && detail.end === 'exited')
    expect(deaths).toHaveLength(because === 'exited' ? 5 : 0)
    // The batch is back.
    await test.host.sendMany(['six', 'seven'].map((id) => ({ group: 'shell', id, text: `echo ${id}` })))
    await test.untilType('message:completed', 6)
    expect(test.replies().at(-1)).toBe('six\nseven')
  })
})
