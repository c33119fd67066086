import type { SessionRecord } from './record.ts'

// A session is bound to whom its worker brought things to when it began. A worker that goes elsewhere leaves it alone,
// until the app has it adopted. One that an older version wrote is bound to nobody.

/** Whether the session is bound to another place. */
export const belongsElsewhere = ({ identity }: SessionRecord, here: string): boolean =>
  identity !== undefined && identity !== here
