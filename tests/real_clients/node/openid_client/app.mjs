/** An app that uses openid-client as its documentation shows. Signatures are checked too, which is optional there. */

import * as client from 'openid-client'

export const STRICT = [client.allowInsecureRequests, client.enableNonRepudiationChecks]

/** The configuration that every call takes. http is allowed because the server is on this very machine. */
export function connected(app, clientAuth = undefined, metadata = app.client_secret, algorithm = 'oidc') {
  return client.discovery(new URL(app.issuer), app.client_id, metadata, clientAuth, { algorithm, execute: STRICT })
}

/**
 * Sign a person in: redirect, callback, code for tokens.
 *
 * `more` are parameters of the authorization request; `pushed` sends them directly (RFC 9126).
 */
export async function signIn(config, browser, app, { more = {}, pushed = false, DPoP = undefined } = {}) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    maxAge: 600,
    idTokenExpected: true,
  }
  const parameters = {
    redirect_uri: app.redirect_uri,
    scope: app.scope,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    max_age: String(checks.maxAge),
    ...more,
  }
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
    : client.buildAuthorizationUrl(config, parameters)
  const callback = await browser.open(url)
  return client.authorizationCodeGrant(config, asGiven(callback), checks, undefined, { DPoP })
}

/** The library takes an address, or a whole request where the answer was posted. */
function asGiven(callback) {
  return callback.method === 'POST' ? callback : new URL(callback.url)
}
