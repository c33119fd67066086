/** What a kill test is made of, by name. */
export interface Dimensions {
  /** Stores, or whatever else the same death can happen over. */
  readonly places: readonly string[]
  readonly deaths: readonly string[]
  readonly moments: readonly string[]
}

export type Place = readonly [place: string, death: string, moment: string]

/** How much of a product a choice of it meets (docs/decisions/0045-a-covering-set-of-cells.md). */
export interface Coverage {
  readonly cells: number
  readonly ofCells: number
  /** Two names of different dimensions that meet in a cell. */
  readonly pairs: number
  readonly ofPairs: number
  /** Cells in which all three dimensions meet in the code, so that no other stands for them. */
  readonly triples: number
  readonly ofTriples: number
}

/** Whether what dies, when, and over which place come together in the code, so that each place is tried. */
type AllMeet = (death: string, moment: string) => boolean

/**
 * What `npm test -- --all` takes of a product: each death at each moment. Where the place matters to that, over each
 * place; elsewhere over one, in turn, so that every place meets every death and every moment.
 *
 * @param kept cells that are taken besides
 * @throws Error there are more places than deaths or moments, so that they cannot take turns
 */
export function coveringCells(
  { places, deaths, moments }: Dimensions,
  allMeet: AllMeet,
  kept: readonly Place[] = [],
): readonly Place[] {
  const turns = deaths.some((death) => moments.some((moment) => !allMeet(death, moment)))
  if (turns && places.length > Math.min(deaths.length, moments.length))
    throw new Error(`${places.length} places cannot take turns`)
  const chosen = deaths.flatMap((death, row) =>
    moments.flatMap((moment, column) =>
      places
        .filter((_place, at) => allMeet(death, moment) || at === (row + column) % places.length)
        .map((place): Place => [place, death, moment]),
    ),
  )
  return [...chosen, ...kept.filter((cell) => !has(chosen, cell))]
}

/** Whether a cell is one of these. */
export const has = (cells: readonly Place[], cell: Place): boolean =>
  cells.some((one) => one.every((name, at) => name === cell[at]))

/** @throws Error a death or a moment came or went, and what is chosen of them does not know it */
export function expectNames({ deaths, moments }: Dimensions, ways: object, points: object): void {
  for (const [names, given] of [
    [deaths, Object.keys(ways)] as const,
    [moments, Object.keys(points)] as const,
  ])
    if (names.toSorted().join() !== given.toSorted().join())
      throw new Error(`Cells are chosen of ${names}, not of ${given}`)
}

/** Counts what these cells meet. */
export function coverageOf(dimensions: Dimensions, allMeet: AllMeet, cells: readonly Place[]): Coverage {
  const { places, deaths, moments } = dimensions
  const product = places.flatMap((place) =>
    deaths.flatMap((death) => moments.map((moment): Place => [place, death, moment])),
  )
  const theirs = (of: readonly Place[]) => of.filter(([, death, moment]) => allMeet(death, moment))
  return {
    cells: cells.length,
    ofCells: product.length,
    pairs: pairsOf(cells).size,
    ofPairs: pairsOf(product).size,
    triples: theirs(cells).length,
    ofTriples: theirs(product).length,
  }
}

const pairsOf = (cells: readonly Place[]) =>
  new Set(
    cells.flatMap(([place, death, moment]) => [
      `${place} × ${death}`,
      `${place} × ${moment}`,
      `${death} × ${moment}`,
    ]),
  )

/** A line of `npm test -- --all`. */
export const inWords = (name: string, { cells, ofCells, pairs, ofPairs, triples, ofTriples }: Coverage) =>
  `${name}: ${cells} of ${ofCells} cells, ${pairs} of ${ofPairs} pairs, ${triples} of ${ofTriples} triples that meet in the code`
