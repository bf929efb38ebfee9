/** A device without a browser: its person types a code on another one (RFC 8628). */

import * as client from 'openid-client'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const config = await connected(app, client.None(), {})
const codes = await client.initiateDeviceAuthorization(config, { scope: app.scope })
await new Browser(app).open(codes.verification_uri_complete)
const quick = { ...codes, interval: 1 } // its person was quick, so the first question is already answered
const tokens = await client.pollDeviceAuthorizationGrant(config, quick)
tell('signed in', { claims: tokens.claims() })
