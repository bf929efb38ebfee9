/** A device without a browser: its person types a code on another one (RFC 8628). */

import * as oauth from 'oauth4webapi'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const tv = await connected(app, oauth.None())
const { as, client, clientAuth, http } = tv
const started = await oauth.deviceAuthorizationRequest(as, client, clientAuth, { scope: app.scope }, http)
const codes = await oauth.processDeviceAuthorizationResponse(as, client, started)
await new Browser(app).open(codes.verification_uri_complete)
const response = await oauth.deviceCodeGrantRequest(as, client, clientAuth, codes.device_code, http)
const tokens = await oauth.processDeviceCodeResponse(as, client, response)
await oauth.validateApplicationLevelSignature(as, response, http)
await tv.asResourceService(tokens.access_token)
tell('signed in', { claims: oauth.getValidatedIdTokenClaims(tokens) })
