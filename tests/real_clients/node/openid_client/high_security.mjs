/** FAPI 2.0: private_key_jwt, a pushed request, and tokens that are bound to a key of the app (DPoP). */

import * as client from 'openid-client'

import { Browser } from '../browser.mjs'
import { heard, pause, tell } from '../talk.mjs'
import { connected, signIn } from './app.mjs'

const pair = await client.randomDPoPKeyPair('ES256', { extractable: true })
const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
const app = await pause('key', { jwks: { keys: [{ ...jwk, kid: 'of-the-bank', alg: 'ES256', use: 'sig' }] } })

const browser = new Browser(app)
const clientAuth = client.PrivateKeyJwt({ key: pair.privateKey, kid: 'of-the-bank' })
const config = await connected(app, clientAuth, { userinfo_signed_response_alg: 'RS256' })
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))

const first = await signIn(config, browser, app, { pushed: true, DPoP })
tell('signed in', { token_type: first.token_type, claims: first.claims() })
tell('person', await client.fetchUserInfo(config, first.access_token, first.claims().sub, { DPoP }))
const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP })
tell('refreshed', { token_type: second.token_type, same: second.refresh_token === first.refresh_token })

const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
const stolen = await client
  .fetchUserInfo(config, second.access_token, first.claims().sub, { DPoP: thief })
  .catch((error) => error)
tell('stolen', { status: stolen.status, challenge: stolen.cause })
