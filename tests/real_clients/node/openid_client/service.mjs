/** A service without people, and so without OpenID: a token of its own, looked up, revoked, and looked up again. */

import * as client from 'openid-client'

import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const config = await connected(app, client.ClientSecretBasic(app.client_secret), {}, 'oauth2')

const tokens = await client.clientCredentialsGrant(config, { scope: 'orders:read' })
tell('token', { scope: tokens.scope, expires_in: tokens.expiresIn() })
tell('introspected', await client.tokenIntrospection(config, tokens.access_token))
await client.tokenRevocation(config, tokens.access_token)
tell('revoked', await client.tokenIntrospection(config, tokens.access_token))
