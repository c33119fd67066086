export { watchSettled } from './engine/watch.ts'
