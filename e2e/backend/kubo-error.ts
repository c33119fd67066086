import { json, type Reply } from './exchange.ts'

/** An error in Kubo's form. Kubo says 500 to nearly everything, 400 to a request without its argument. */
export const kuboError = (Message: string, status: 400 | 500 = 500): Reply =>
  json(status, { Message, Code: 0, Type: 'error' })
