/** Every algorithm that discovery offers to a client, tried: for its assertions and for its DPoP proofs. */

import * as oauth from 'oauth4webapi'

import { heard, pause, tell } from '../talk.mjs'
import { connected } from './app.mjs'

const { as, http } = await connected(await heard())
const known = (algorithms) => algorithms.filter((alg) => alg !== 'EdDSA') // it signs by the newer name, Ed25519
const offered = known(as.token_endpoint_auth_signing_alg_values_supported)
const proofs = known(as.dpop_signing_alg_values_supported)
const pairs = new Map()
for (const alg of new Set([...offered, ...proofs])) {
  pairs.set(alg, await oauth.generateKeyPair(alg, { extractable: true }))
}

const keys = []
for (const alg of offered) {
  const jwk = await crypto.subtle.exportKey('jwk', pairs.get(alg).publicKey)
  keys.push({ ...jwk, alg, kid: alg, use: 'sig', key_ops: undefined })
}
const app = await pause('keys', { jwks: { keys } })

async function token({ assertion = 'ES256', proof }) {
  const client = { client_id: app.client_id }
  const clientAuth = oauth.PrivateKeyJwt({ key: pairs.get(assertion).privateKey, kid: assertion })
  const DPoP = proof && oauth.DPoP(client, pairs.get(proof))
  const response = await oauth.clientCredentialsGrantRequest(as, client, clientAuth, {}, { ...http, DPoP })
  const { token_type } = await oauth.processClientCredentialsResponse(as, client, response)
  return [assertion, proof ?? null, token_type]
}

const tokens = []
for (const assertion of offered) tokens.push(await token({ assertion }))
for (const proof of proofs) tokens.push(await token({ proof }))
tell('tokens', { tokens })
