import type { PlannedRemovals, Pruning, PruningPlan, PruningRequest } from '../api.ts'

/** Where prunings are planned and carried out: a running host, or a data directory that none holds. */
export interface PruningSource {
  planPruning(request: PruningRequest): Promise<PruningPlan>
  listPlannedRemovals(query: { planId: string; after?: number; limit?: number }): Promise<PlannedRemovals>
  startPruning(request: { planId: string; trash: boolean }): Promise<Pruning>
  readPruning(id: string): Promise<Pruning>
}
