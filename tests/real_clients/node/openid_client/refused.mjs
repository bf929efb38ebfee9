/** Errors, as the library's user meets them: typed, by the standard's own words. */

import * as client from 'openid-client'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected, signIn } from './app.mjs'

const app = await heard()
const config = await connected(app, client.ClientSecretBasic(app.client_secret))
const wrong = await connected(app, client.ClientSecretBasic('not-the-secret'))
const caught = (promise) => promise.then(() => ({}), (error) => error)

const silent = await caught(signIn(config, new Browser(app), app, { more: { prompt: 'none' } }))
tell('nobody is signed in', { kind: silent.name, error: silent.error })
const code = new URL(`${app.redirect_uri}?code=invented&iss=${encodeURIComponent(app.issuer)}`)
const invented = await caught(client.authorizationCodeGrant(config, code, { pkceCodeVerifier: client.randomPKCECodeVerifier() }))
tell('code', { kind: invented.name, error: invented.error, status: invented.status })
const stranger = await caught(client.refreshTokenGrant(wrong, 'whatever'))
tell('secret', { kind: stranger.name, status: stranger.status, challenge: stranger.cause })
const noToken = await caught(client.fetchUserInfo(config, 'no-token', client.skipSubjectCheck))
tell('token', { kind: noToken.name, status: noToken.status, challenge: noToken.cause })
