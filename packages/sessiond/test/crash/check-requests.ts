import type { Evidence } from './evidence.ts'

/** (B17) Every request is answered, each that was granted made one series, and no agent was told of one that is not. */
export function checkRequests({ requests, seriesIds, witnesses }: Evidence): string[] {
  const granted = requests.filter(({ status }) => status === 'ok').map(({ ordinal }) => `t-r${ordinal}`)
  const told = [...witnesses.values()].flat().flatMap((seen) => {
    const id = seen.did === 'asked' ? /^Task (\S+):/.exec(seen.answer ?? '')?.[1] : undefined
    return id === undefined ? [] : [id]
  })
  return [
    ...requests.filter(({ status }) => status === null).map(({ ordinal }) => `request ${ordinal} has no answer`),
    ...granted.filter((id) => !seriesIds.includes(id)).map((id) => `${id} was granted and is not there`),
    ...seriesIds.filter((id) => !granted.includes(id)).map((id) => `${id} is there and was not granted`),
    ...told.filter((id) => !seriesIds.includes(id)).map((id) => `an agent was told of ${id}, which is not there`),
    ...(new Set(told).size === told.length ? [] : [`two agents were told of the same series: ${told.join(', ')}`]),
  ]
}
