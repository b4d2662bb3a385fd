/**
 * Of items in their order of preference as many as the weight allows, shared out among their owners: each has the first
 * of its own, and what one does not need is for the others, so that nobody who has very many crowds out those who have
 * few. The order stays. However heavy, there is at least one.
 */
export function fairShare<Item>(
  items: readonly Item[],
  { ownerOf, weightOf }: { readonly ownerOf: (item: Item) => number; readonly weightOf: (item: Item) => number },
  maxWeight: number,
): readonly Item[] {
  const weights = items.map(weightOf)
  if (weights.reduce((sum, weight) => sum + weight, 0) <= maxWeight) return items
  const owners = items.map(ownerOf)
  const wanted = new Map<number, number>()
  for (const [index, owner] of owners.entries()) wanted.set(owner, (wanted.get(owner) ?? 0) + (weights[index] ?? 0))
  const share = shareOf([...wanted.values()], maxWeight)
  const isTaken = items.map(() => false)
  const taken = new Map<number, number>()
  let room = maxWeight
  // Shares are no whole numbers, and weights not all alike: what is over goes to those who come first.
  for (const limit of [share, Math.ceil(share), maxWeight]) {
    for (const [index, owner] of owners.entries()) {
      const weight = weights[index] ?? 0
      const after = (taken.get(owner) ?? 0) + weight
      if (isTaken[index] || weight > room || after > limit) continue
      isTaken[index] = true
      taken.set(owner, after)
      room -= weight
    }
  }
  return taken.size === 0 ? items.slice(0, 1) : items.filter((_, index) => isTaken[index])
}

/** What each may have at most so that no room is left over; what they want together is more than there is. */
function shareOf(wanted: readonly number[], maxWeight: number): number {
  let room = maxWeight
  for (const [index, weight] of wanted.toSorted((a, b) => a - b).entries()) {
    const share = room / (wanted.length - index)
    if (weight > share) return share
    room -= weight
  }
  return maxWeight
}
