/** The answer for programs; documented in docs/cap-why-and-graph.md. */

import type { Did, Refusal } from '../../../types/index.ts'
import { commandsOf } from './commands.ts'
import type { Admission, Explanation, Link, Step } from './types.ts'

type Names = ReadonlyMap<Did, string>

/** Plain data; times are exact nanoseconds. */
export function reportOf(answer: Explanation, names: Names): unknown {
  const { question, route } = answer
  const party = (did: Did): unknown => ({ did, context: names.get(did) })
  return {
    verdict: answer.verdict,
    question: {
      behavior: question.behavior,
      topic: question.topic,
      sender: party(question.sender),
      receiver: { ...Object(party(question.receiver)), known: answer.isReceiverKnown },
      expires: question.expiresAtNs
    },
    route: {
      kind: route.kind,
      chain: route.links.toReversed().map(linkReport),
      grantor: route.grantor === undefined ? undefined : party(route.grantor),
      admission: admissionReport(route.admission),
      crowded_out: answer.isCrowdedOut
    },
    also_presented: answer.others,
    steps: answer.steps.map(step => stepReport(step, names)),
    shortcut: answer.shortcut.map(step => stepReport(step, names)),
    refusal: answer.refusal === undefined ? undefined : refusalReport(answer.refusal)
  }
}

function linkReport({ token, faults }: Link): Record<string, unknown> {
  return {
    issuer: token.issuer,
    subject: token.subject,
    audience: token.audience,
    capabilities: token.capabilities ?? [],
    topics: token.topics,
    expires: token.expiresAtNs,
    depth: token.depth,
    faults
  }
}

function admissionReport(admission: Admission): unknown {
  return admission.by === 'require'
    ? { by: admission.by, did: admission.did, anchor: linkReport(admission.anchor) }
    : admission
}

function stepReport(step: Step, names: Names): unknown {
  const commands = commandsOf(step, names).map(({ by, context, line, isComplete }) => ({
    by,
    context,
    run: line,
    complete: isComplete
  }))
  return { why: step.why, commands }
}

/** Without the details, which hold whatever a rule compared. */
function refusalReport({ code, message, causes }: Refusal): unknown {
  return { code, message, causes: causes?.map(refusalReport) }
}
