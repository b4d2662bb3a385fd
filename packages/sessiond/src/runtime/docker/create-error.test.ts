import { describe, expect, test } from 'vitest'
import type { RunSpec } from '../runtime.ts'
import { createError, startError } from './create-error.ts'
import { engineError } from './engine-errors.ts'

const spec = {
  name: 'run-1',
  image: 'image:tag',
  group: 'g',
  environment: { TOKEN: 'sekret' },
  agentJson: null,
} as unknown as RunSpec

function answered(statusCode: number, message: string) {
  return Object.assign(new Error(`(HTTP code ${statusCode}) - ${message}`), { statusCode, json: { message } })
}

describe('createError', () => {
  test.each([
    [404, 'No such image: image:tag', 'IMAGE_MISSING'],
    [409, 'Conflict. The container name "/run-1" is already in use', 'RUN_NAME_TAKEN'],
    [500, 'creating container storage: the container name "run-1" is already in use by abc', 'RUN_NAME_TAKEN'],
    [400, 'invalid mount config', 'RUNTIME_REFUSED'],
    [500, 'no space left on device', 'RUNTIME_REFUSED'],
  ])('reads %i %j as %s', (status, words, code) => {
    expect(createError(answered(status, words), spec)?.code).toBe(code)
  })

  test('leaves what says nothing of the run to others', () => {
    expect(createError(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), spec)).toBeUndefined()
    expect(createError(answered(503, 'unavailable'), spec)).toBeUndefined()
  })

  test("(G10) keeps the engine's words and takes values of the environment out of them", () => {
    const error = createError(answered(400, 'invalid environment variable: =sekret'), spec)
    expect(error?.message).toContain('invalid environment variable')
    expect(error?.message).not.toContain('sekret')
  })
})

describe('startError', () => {
  test.each([
    'OCI runtime create failed: exec: "/absent/program": stat /absent/program: no such file or directory: unknown',
    'exec: "program": executable file not found in $PATH: unknown',
    'crun: executable file `program` not found in $PATH: No such file or directory',
  ])('reads %j as COMMAND_NOT_FOUND', (words) => {
    expect(startError(answered(400, words))?.code).toBe('COMMAND_NOT_FOUND')
  })

  test('leaves other refusals to others', () => {
    expect(startError(answered(500, 'network nowhere not found'))).toBeUndefined()
    expect(startError(new Error('no answer'))).toBeUndefined()
  })
})

describe('engineError', () => {
  test.each([
    [Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }), 'RUNTIME_UNREACHABLE'],
    [Object.assign(new Error('aborted'), { name: 'TimeoutError' }), 'RUNTIME_UNREACHABLE'],
    [answered(503, 'unavailable'), 'RUNTIME_UNREACHABLE'],
    [answered(500, 'permission denied'), 'RUNTIME_REFUSED'],
    [answered(403, 'forbidden'), 'RUNTIME_REFUSED'],
  ])('translates %s', (error, code) => {
    expect(engineError(error, 'do it').code).toBe(code)
  })
})
