/** Errors, as the library's user meets them: typed, by the standard's own words. */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const shop = await connected(app, oauth.ClientSecretBasic(app.client_secret))
const wrong = await connected(app, oauth.ClientSecretBasic('not-the-secret'))
const caught = (promise) => promise.then(() => ({}), (error) => error)

const silent = await caught(shop.signIn(new Browser(app), { more: { prompt: 'none' } }))
tell('nobody is signed in', { kind: silent.name, error: silent.error })
const { as, client, clientAuth, http } = shop
const given = oauth.validateAuthResponse(as, client, new URLSearchParams({ code: 'invented', iss: app.issuer }))
const verifier = oauth.generateRandomCodeVerifier()
const response = await oauth.authorizationCodeGrantRequest(as, client, clientAuth, given, app.redirect_uri, verifier, http)
const invented = await caught(oauth.processAuthorizationCodeResponse(as, client, response))
tell('code', { kind: invented.name, error: invented.error, status: invented.status })
const stranger = await caught(wrong.refresh('whatever'))
tell('secret', { kind: stranger.name, status: stranger.status, challenge: stranger.cause })
const noToken = await caught(shop.userInfo({ access_token: 'no-token', claims: { sub: oauth.skipSubjectCheck } }))
tell('token', { kind: noToken.name, status: noToken.status, challenge: noToken.cause })
