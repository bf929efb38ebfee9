/** From sign-in to sign-out with oauth4webapi, and on with a new signing key in between. */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { header, heard, pause, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const browser = new Browser(app)
const strict = { require_auth_time: true, id_token_signed_response_alg: 'RS256' }
const shop = await connected(app, oauth.ClientSecretBasic(app.client_secret), strict)
const facts = (tokens) => ({ claims: tokens.claims, header: header(tokens.id_token) })

const first = await shop.signIn(browser)
await shop.asResourceService(first.access_token)
tell('signed in', { ...facts(first), person: await shop.userInfo(first), pages: browser.pages })

const second = await shop.refresh(first.refresh_token)
await pause('refreshed', facts(second))

const third = await shop.refresh(second.refresh_token)
tell('refreshed with the new key', facts(third))
await shop.userInfo(second) // its access token is of the key before: good until it ends
const again = await shop.signIn(browser)
await shop.asResourceService(again.access_token)
tell('signed in with the new key', facts(again))

const goodbye = new URL(shop.as.end_session_endpoint)
goodbye.search = new URLSearchParams({
  id_token_hint: again.id_token,
  post_logout_redirect_uri: app.post_logout_redirect_uri,
  state: 'goodbye',
})
tell('signed out', { url: (await browser.open(goodbye)).url })
const refused = await shop.refresh(third.refresh_token).catch((error) => error)
tell('refused', { error: refused.error, status: refused.status })
