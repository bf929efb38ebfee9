/** A request that is pushed, and an answer that the browser posts: nothing of either is in an address. */

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected, signIn } from './app.mjs'

const app = await heard()
const browser = new Browser(app)
const config = await connected(app)
const tokens = await signIn(config, browser, app, { pushed: true, more: { response_mode: 'form_post' } })
tell('signed in', { claims: tokens.claims() })
