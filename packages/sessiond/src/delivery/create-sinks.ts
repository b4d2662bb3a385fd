import type { HostConfig } from '../config/config.ts'
import type { World } from '../world.ts'
import type { SinkEntry } from './delivery-loop.ts'
import { WebhookSink } from './webhook-sink.ts'

/** Builds every sink of the configuration, by name, with how patiently each is tried. */
export function createSinks(
  config: Pick<HostConfig, 'sinks'>,
  { installId, world }: { readonly installId: string; readonly world: World },
): ReadonlyMap<string, SinkEntry> {
  const entries = [...config.sinks.values()].map((webhook): [string, SinkEntry] => [
    webhook.name,
    { sink: new WebhookSink({ config: webhook, installId, now: () => world.now() }), policy: webhook },
  ])
  return new Map(entries)
}
