/**
 * An app that uses oauth4webapi as its examples show: each answer is checked against its RFC.
 *
 * Signatures are checked too (optional there), and the access token as an API of this server would (RFC 9068).
 */

import * as oauth from 'oauth4webapi'

const API = new URL('http://api.example/')
const HTTP = { [oauth.allowInsecureRequests]: true } // the server is on this very machine

export async function connected(app, clientAuth, metadata = {}, algorithm = 'oidc') {
  const issuer = new URL(app.issuer)
  const found = await oauth.discoveryRequest(issuer, { ...HTTP, algorithm })
  const as = await oauth.processDiscoveryResponse(issuer, found)
  return new Connection(app, as, { client_id: app.client_id, ...metadata }, clientAuth)
}

class Connection {
  constructor(app, as, client, clientAuth) {
    Object.assign(this, { app, as, client, clientAuth, http: HTTP })
  }

  /** Sign a person in: redirect, callback, code for tokens. */
  async signIn(browser, { more = {}, pushed = false } = {}) {
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const parameters = {
      client_id: this.client.client_id,
      redirect_uri: this.app.redirect_uri,
      response_type: 'code',
      scope: this.app.scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      max_age: '600',
      state,
      nonce,
      ...more,
    }
    const callback = await browser.open(await this.#address(pushed ? await this.#pushed(parameters) : parameters))
    const given = oauth.validateAuthResponse(this.as, this.client, await asGiven(callback), state)
    const checks = { expectedNonce: nonce, maxAge: 600, requireIdToken: true }
    return this.#tokens(
      () => oauth.authorizationCodeGrantRequest(
        this.as, this.client, this.clientAuth, given, this.app.redirect_uri, verifier, this.http,
      ),
      (response) => oauth.processAuthorizationCodeResponse(this.as, this.client, response, checks),
    )
  }

  refresh(refreshToken) {
    return this.#tokens(
      () => oauth.refreshTokenGrantRequest(this.as, this.client, this.clientAuth, refreshToken, this.http),
      (response) => oauth.processRefreshTokenResponse(this.as, this.client, response),
    )
  }

  async userInfo({ access_token, claims }) {
    const response = await oauth.userInfoRequest(this.as, this.client, access_token, this.http)
    const person = await oauth.processUserInfoResponse(this.as, this.client, claims.sub, response)
    if (this.client.userinfo_signed_response_alg) await this.#signed(response)
    return person
  }

  async introspect(token) {
    const response = await oauth.introspectionRequest(this.as, this.client, this.clientAuth, token, this.http)
    const answer = await oauth.processIntrospectionResponse(this.as, this.client, response)
    if (this.client.introspection_signed_response_alg) await this.#signed(response)
    return answer
  }

  /** Take the access token to an API that checks it by RFC 9068 and RFC 9449, as strictly as the rest. */
  async asResourceService(accessToken) {
    const verified = (url, sent) => this.#verified(new Request(url, sent))
    const options = { ...this.http, [oauth.customFetch]: verified }
    const answer = await oauth.protectedResourceRequest(accessToken, 'GET', API, undefined, undefined, options)
    return answer.json()
  }

  async #verified(request) {
    return Response.json(await oauth.validateJwtAccessToken(this.as, request, this.app.audience, HTTP))
  }

  async #tokens(request, processed) {
    const response = await request()
    const tokens = await processed(response)
    await this.#signed(response)
    return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) }
  }

  async #pushed(parameters) {
    const response = await oauth.pushedAuthorizationRequest(this.as, this.client, this.clientAuth, parameters, this.http)
    const { request_uri } = await oauth.processPushedAuthorizationResponse(this.as, this.client, response)
    return { client_id: this.client.client_id, request_uri }
  }

  #address(parameters) {
    const url = new URL(this.as.authorization_endpoint)
    url.search = new URLSearchParams(parameters)
    return url
  }

  #signed(response) {
    return oauth.validateApplicationLevelSignature(this.as, response, this.http)
  }
}

/** The parameters of the answer: in the address, or in the body of a form that the browser posted. */
async function asGiven(callback) {
  return callback.method === 'POST' ? new URLSearchParams(await callback.text()) : new URL(callback.url)
}
