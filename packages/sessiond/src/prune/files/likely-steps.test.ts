import { expect, test } from 'vitest'
import { likelySteps } from './likely-steps.ts'

function stepOf(only: string | null) {
  return { pattern: { segments: [only === null ? null : { only }] }, index: 0 }
}

test('asks of many steps those that wait for a name or for any, in their order', () => {
  const names = Array.from({ length: 500 }, (_, index) => (index % 100 === 50 ? null : `g${index % 100}`))
  const steps = names.map(stepOf)
  const places = likelySteps(steps, 'g70').map((step) => steps.indexOf(step))
  expect(places).toEqual([50, 70, 150, 170, 250, 270, 350, 370, 450, 470])
  expect(likelySteps(steps, 'nobody').map((step) => steps.indexOf(step))).toEqual([50, 150, 250, 350, 450])
})
