/** A cell of the matrix by its place in the lists of stores, moments and deaths, each from 0. */
export interface Place {
  readonly store: number
  readonly moment: number
  readonly death: number
}

/**
 * Whether `npm test` runs the cell: one death for every second moment over each store. Each death, each moment and each
 * store is met, each moment over two stores, by two deaths.
 */
export const isSampled = ({ store, moment, death }: Place, deaths: number): boolean =>
  (store + moment) % 2 === 0 && death === (moment + 3 * store) % deaths
