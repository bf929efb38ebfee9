/** An app that registers itself (RFC 7591), with the token that an operator gave it. */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const { as, http } = await connected(app)
const response = await oauth.dynamicClientRegistrationRequest(
  as,
  { client_name: 'Invited', redirect_uris: [app.redirect_uri] },
  { ...http, initialAccessToken: app.invitation },
)
const made = await oauth.processDynamicClientRegistrationResponse(response)
const mine = { ...app, client_id: made.client_id, scope: 'openid' }
const shop = await connected(mine, oauth.ClientSecretBasic(made.client_secret), made)
const tokens = await shop.signIn(new Browser(app))
tell('signed in', { client_id: made.client_id, claims: tokens.claims })
