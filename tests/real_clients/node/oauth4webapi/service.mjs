/** A service without people, and so without OpenID: a token of its own, looked up, revoked, and looked up again. */

import * as oauth from 'oauth4webapi'

import { heard, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const app = await heard()
const reports = await connected(app, oauth.ClientSecretBasic(app.client_secret), {}, 'oauth2')
const { as, client, clientAuth, http } = reports

const response = await oauth.clientCredentialsGrantRequest(as, client, clientAuth, { scope: 'orders:read' }, http)
const tokens = await oauth.processClientCredentialsResponse(as, client, response)
await reports.asResourceService(tokens.access_token)
tell('token', { scope: tokens.scope, expires_in: tokens.expires_in })
tell('introspected', await reports.introspect(tokens.access_token))
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, clientAuth, tokens.access_token, http))
tell('revoked', await reports.introspect(tokens.access_token))
