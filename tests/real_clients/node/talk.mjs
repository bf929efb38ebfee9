/** A line of JSON each way: what the test hears, and what it says. Secrets come in here, not as arguments. */

import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Wait for what the test says next. */
export async function heard() {
  const { value, done } = await lines.next()
  if (done) throw new Error('the test has nothing more to say')
  return JSON.parse(value)
}

/** Tell the test how far the journey is. */
export function tell(step, facts = {}) {
  process.stdout.write(`${JSON.stringify({ step, ...facts })}\n`)
}

/** Tell the test, and go on when it has done what is its part. */
export async function pause(step, facts = {}) {
  tell(step, facts)
  return heard()
}

/** The header of a JWT, for the test to see which key signed it; the library has verified it. */
export function header(jwt) {
  return JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url').toString())
}
