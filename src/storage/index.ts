export { protectStorage, roomFor, roomUpTo, type Protection } from './room.ts'
export { storageForecast, type ForecastOptions, type StorageForecast } from './forecast.ts'
export { watchForLoss, type LostRecording, type LossOptions, type SecondPlace } from './canary.ts'
export { storageWarning, type StorageEstimateBytes, type StorageWarning } from '../storage-warning.ts'
