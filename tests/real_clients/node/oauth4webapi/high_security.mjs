/** FAPI 2.0: private_key_jwt, a pushed request, and tokens that are bound to a key of the app (DPoP). */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { pause, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const pair = await oauth.generateKeyPair('ES256', { extractable: true })
const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
const app = await pause('key', { jwks: { keys: [{ ...jwk, kid: 'of-the-bank', alg: 'ES256', use: 'sig' }] } })

const clientAuth = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'of-the-bank' })
const signed = { userinfo_signed_response_alg: 'RS256', introspection_signed_response_alg: 'RS256' }
const bank = await connected(app, clientAuth, signed)
const http = bank.http
const bound = async () => ({ ...http, DPoP: oauth.DPoP(bank.client, await oauth.generateKeyPair('ES256')) })

bank.http = await bound()
const first = await bank.signIn(new Browser(app), { pushed: true })
tell('signed in', { token_type: first.token_type, claims: first.claims })
tell('person', await bank.userInfo(first))
const second = await bank.refresh(first.refresh_token)
await bank.asResourceService(second.access_token)
tell('refreshed', { token_type: second.token_type, same: second.refresh_token === first.refresh_token })

bank.http = await bound()
const stolen = await bank.userInfo({ ...second, claims: first.claims }).catch((error) => error)
tell('stolen', { status: stolen.status, challenge: stolen.cause })
bank.http = http
tell('introspected', await bank.introspect(second.access_token))
