import type { Ensemble } from '../../dms/ensemble/index.ts'
import type { Refusal } from '../../types/index.ts'
import { EXIT } from '../cli/errors.ts'
import type { Story } from './story.ts'

/** How a deployment came out. */
export interface Verdict {
  readonly exitCode: number
  /** One sentence. */
  readonly text: string
}

/** Whether everything in an ensemble ends by itself. */
export function isTasksOnly(ensemble: Ensemble): boolean {
  return Object.values(ensemble.v1.allocations).every(allocation => allocation.type === 'task')
}

/** The verdict, or `undefined` while there is something left to wait for. */
export function judge(story: Story, tasksOnly: boolean): Verdict | undefined {
  const { status } = story
  if (status === 'Failed') return { exitCode: failureCode(story), text: 'deployment failed' }
  if (status === 'ShuttingDown')
    return { exitCode: EXIT.failed, text: 'deployment is being shut down by somebody else' }
  if (status === 'Completed') return judgeAllocations(story, 'all tasks are done')
  if (status === 'Running' && !tasksOnly) return judgeAllocations(story, 'deployment is running')
  return undefined
}

function judgeAllocations(story: Story, success: string): Verdict {
  const { allocations } = story
  const failed = allocations.filter(({ status, exitCode }) => status === 'failed' || (exitCode ?? 0) !== 0)
  if (failed.length === 0) return { exitCode: EXIT.ok, text: success }
  const text = `${failed.length} of ${allocations.length} allocations failed`
  return { exitCode: failed.length < allocations.length ? EXIT.partly : EXIT.failed, text }
}

function failureCode({ error, allocations }: Story): number {
  if (error?.code === 'DEPLOYMENT_TIME') return EXIT.timedOut
  if (error !== undefined && leaves(error).every(leaf => CAPABILITY_CODES.test(leaf.code)))
    return EXIT.refused
  const done = allocations.filter(({ status, exitCode }) => status === 'completed' && (exitCode ?? 0) === 0)
  return done.length > 0 && done.length < allocations.length ? EXIT.partly : EXIT.failed
}

/** Refusals of the capability system. */
const CAPABILITY_CODES = /^UCAN_/

function leaves(tree: Refusal): readonly Refusal[] {
  const causes = tree.causes ?? []
  return causes.length === 0 ? [tree] : causes.flatMap(leaves)
}
