import type { HostConfig } from '../../config/config.ts'
import { describeProblem } from '../../config/problem.ts'
import { findUnusableRoots, withRealRoots } from '../../prune/real-roots.ts'
import type { Check } from '../../runtime/runtime.ts'

/** Folders of classes of one's own that pruning would not go through, or must not; nothing where all is well. */
export async function checkRoots(config: HostConfig): Promise<Check[]> {
  await withRealRoots(config)
  const problems = await findUnusableRoots(config)
  return problems.map((problem) => {
    const detail = describeProblem({ ...problem, cure: '' }).trim()
    return { name: 'retention', ok: false, detail, cure: problem.cure }
  })
}
