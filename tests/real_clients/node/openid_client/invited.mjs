/** An app that registers itself (RFC 7591), with the token that an operator gave it. */

import * as client from 'openid-client'

import { Browser } from '../browser.mjs'
import { heard, tell } from '../talk.mjs'
import { STRICT, signIn } from './app.mjs'

const app = await heard()
const metadata = { client_name: 'Invited', redirect_uris: [app.redirect_uri], token_endpoint_auth_method: 'client_secret_post' }
const options = { initialAccessToken: app.invitation, execute: STRICT }
const config = await client.dynamicClientRegistration(new URL(app.issuer), metadata, undefined, options)
const tokens = await signIn(config, new Browser(app), { ...app, scope: 'openid' })
tell('signed in', { client_id: config.clientMetadata().client_id, claims: tokens.claims() })
