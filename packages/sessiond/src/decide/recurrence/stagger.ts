/**
 * A series' own part of a span, the same each time: what many have set to 9:00 starts spread over it, and none of them
 * jitters. FNV-1a over the id.
 */
export function staggerMs(seriesId: string, spanMs: number): number {
  if (spanMs <= 0) return 0
  let hash = 0x811c9dc5
  for (const char of seriesId) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return (hash >>> 0) % spanMs
}
