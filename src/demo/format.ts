export {
  capital,
  count,
  formatBytes,
  formatClock,
  formatMoment,
  formatWait,
  shorten,
} from '../elements/format.ts'
