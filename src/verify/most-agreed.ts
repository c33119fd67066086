import type { WitnessedHead } from './heads.ts'

/** The signed heads that a node tells of, in order. */
interface Told {
  readonly heads: readonly WitnessedHead[]
}

/**
 * Whom of several nodes to believe. One that is behind, or keeps the newest heads back, tells of the first of the others';
 * the registry numbers heads as it takes them, so one that has another head among these says that the chain is another
 * one. Of those whose heads are no beginning of anybody else's the one that most agree with is believed; the first, of as
 * many.
 *
 * @returns `best` is undefined where nobody tells anything; who contradicts it has another head in a place where both have one
 */
export function mostAgreed<Node extends Told>(nodes: readonly Node[]) {
  const heads = new Map(nodes.map((node) => [node, node.heads.filter(({ isSigned }) => isSigned).map(keyOf)]))
  const agree = (one: Node, other: Node) => {
    const [ours, theirs] = [heads.get(one)!, heads.get(other)!]
    return ours.every((key, at) => key === (theirs[at] ?? key))
  }
  const isBeginning = (one: Node, other: Node) =>
    heads.get(one)!.length < heads.get(other)!.length && agree(one, other)
  const agreeing = (one: Node) => nodes.filter((other) => agree(one, other)).length
  const [best] = nodes
    .filter((one) => !nodes.some((other) => isBeginning(one, other)))
    .sort((one, other) => agreeing(other) - agreeing(one))
  return { best, contradicts: (node: Node) => best !== undefined && !agree(best, node) }
}

const keyOf = ({ head: { size, root, page, previous, groups, end } }: WitnessedHead) =>
  [size, root, page, previous, groups, end].join()
