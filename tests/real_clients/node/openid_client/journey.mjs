/** From sign-in to sign-out with openid-client, and on with a new signing key in between. */

import * as client from 'openid-client'

import { Browser } from '../browser.mjs'
import { header, heard, pause, tell } from '../talk.mjs'
import { connected, signIn } from './app.mjs'

const app = await heard()
const browser = new Browser(app)
const config = await connected(app)
const facts = (tokens) => ({ claims: tokens.claims(), header: header(tokens.id_token) })

const first = await signIn(config, browser, app)
const person = await client.fetchUserInfo(config, first.access_token, first.claims().sub)
tell('signed in', { ...facts(first), person, pages: browser.pages })

const second = await client.refreshTokenGrant(config, first.refresh_token)
await pause('refreshed', facts(second))

const third = await client.refreshTokenGrant(config, second.refresh_token)
tell('refreshed with the new key', facts(third))
await client.fetchUserInfo(config, second.access_token, first.claims().sub) // of the key before: good until it ends
const again = await signIn(config, browser, app)
tell('signed in with the new key', facts(again))

const goodbye = client.buildEndSessionUrl(config, {
  id_token_hint: again.id_token,
  post_logout_redirect_uri: app.post_logout_redirect_uri,
  state: 'goodbye',
})
tell('signed out', { url: (await browser.open(goodbye)).url })
const refused = await client.refreshTokenGrant(config, third.refresh_token).catch((error) => error)
tell('refused', { error: refused.error, status: refused.status })
