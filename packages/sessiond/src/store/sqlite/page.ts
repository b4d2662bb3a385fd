/** What counts towards the bytes of a page; the other columns of a row are bounded and small. */
interface Sized {
  readonly content: string
}

/** Reads until `maxBytes` of content are passed, the item that passes them included: `cut` still has to see it. */
export function readAhead<Item>(items: Iterable<Item>, maxBytes: number, sizedOf: (item: Item) => Sized): Item[] {
  const read: Item[] = []
  let bytes = 0
  for (const item of items) {
    read.push(item)
    bytes += Buffer.byteLength(sizedOf(item).content)
    if (bytes > maxBytes) break
  }
  return read
}

/** The first items that fit both bounds together; at least one, however large, so that a reader always gets on. */
export function cut<Item>(
  items: readonly Item[],
  { limit, maxBytes = Number.POSITIVE_INFINITY }: { readonly limit: number; readonly maxBytes?: number },
  sizedOf: (item: Item) => Sized,
): Item[] {
  let bytes = 0
  const end = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(sizedOf(item).content)
    return bytes > maxBytes && index > 0
  })
  return items.slice(0, Math.max(0, end === -1 ? limit : Math.min(end, limit)))
}
