/** The drain's times under `shortLimits`, ms: 10 s of each are for what is under way. */
export const SHORT_BUDGETS_MS = { startup: 16_000, message: 16_000, sync: 16_000 }

/** Arguments under which Chromium's Background Sync has so many attempts, 4 s apart, of 22 s at most. */
export function shortLimits(attempts: number): string[] {
  const parameters = {
    initial_retry_delay_sec: 4,
    retry_delay_factor: 1,
    max_sync_attempts: attempts,
    max_sync_attempts_with_notification_permission: attempts,
    min_recovery_time_sec: 1,
    max_sync_event_duration_sec: 22,
  }
  const listed = Object.entries(parameters).flat().join('/')
  return ['--force-fieldtrials=BackgroundSync/T', `--force-fieldtrial-params=BackgroundSync.T:${listed}`]
}
