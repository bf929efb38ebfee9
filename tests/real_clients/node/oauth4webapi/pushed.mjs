/** A request that is pushed, and an answer that the browser posts: nothing of either is in an address. */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const shop = await connected(app, oauth.ClientSecretPost(app.client_secret))
const tokens = await shop.signIn(new Browser(app), { pushed: true, more: { response_mode: 'form_post' } })
tell('signed in', { claims: tokens.claims })
