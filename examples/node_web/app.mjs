/**
 * A web app that signs people in with openid-client: OpenID Connect, and nothing of the login service's own code.
 *
 * The tokens stay in this process; the browser gets the name that they are kept under. Each visit asks the login
 * service who it is, so a sign-out anywhere counts here at the next click.
 */

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import * as client from 'openid-client'

const { LOGIN_SERVICE = 'http://127.0.0.1:8000', NODE_WEB = 'http://127.0.0.1:8005' } = process.env
const { CLIENT_ID = 'node-web', CLIENT_SECRET } = process.env
const onLoopback = LOGIN_SERVICE.startsWith('http://127.0.0.1')
const config = await client.discovery(new URL(LOGIN_SERVICE), CLIENT_ID, {}, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: [client.enableNonRepudiationChecks, ...(onLoopback ? [client.allowInsecureRequests] : [])],
})
const signedIn = new Map() // forgotten when this process ends; a real app has a database
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' ${LOGIN_SERVICE}; frame-ancestors 'none'`,
}

const pages = {
  'GET /': async (request) => {
    const name = cookie(request, 'node_web')
    const user = await whoIs(signedIn.get(name))
    if (!user) {
      signedIn.delete(name)
      return page(request, `<a class="button primary large" href="/login">${say(request, 'Sign in', '로그인')}</a>`)
    }
    const welcome = say(request, `Welcome, ${user.name}!`, `환영합니다, ${user.name} 님!`)
    const button = `<button class="button">${say(request, 'Sign out', '로그아웃')}</button>`
    return page(request, `<h1>${escaped(welcome)}</h1><form method="post" action="/logout">${button}</form>`)
  },

  'GET /login': async () => {
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: `${NODE_WEB}/callback`,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    return redirect(url.href, kept('node_web_login', [verifier, state, nonce].join('.')))
  },

  'GET /callback': async (request) => {
    const [pkceCodeVerifier, expectedState, expectedNonce] = (cookie(request, 'node_web_login') ?? '').split('.')
    const url = new URL(request.url, NODE_WEB)
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
    const tokens = await client.authorizationCodeGrant(config, url, checks)
    const name = randomBytes(32).toString('base64url')
    signedIn.set(name, { tokens, sub: tokens.claims().sub, idToken: tokens.id_token })
    return redirect('/', kept('node_web', name), kept('node_web_login', '', 0))
  },

  /** Here, and at the login service, which tells the other apps. */
  'POST /logout': async (request) => {
    const name = cookie(request, 'node_web')
    const person = signedIn.get(name)
    if (!person) return redirect('/')
    signedIn.delete(name)
    const back = { id_token_hint: person.idToken, post_logout_redirect_uri: `${NODE_WEB}/` }
    return redirect(client.buildEndSessionUrl(config, back).href, kept('node_web', '', 0))
  },

  'GET /look/style.css': async () => {
    const body = await readFile(new URL('../look/style.css', import.meta.url))
    return { status: 200, headers: { 'content-type': 'text/css' }, body }
  },
}

/** Ask the login service, with a new access token if the old one is over; nobody, once the sign-in has ended. */
async function whoIs(person) {
  if (!person) return null
  const ask = () => client.fetchUserInfo(config, person.tokens.access_token, person.sub)
  try {
    return await ask().catch(async (error) => {
      if (!refused(error)) throw error
      person.tokens = await client.refreshTokenGrant(config, person.tokens.refresh_token)
      return ask()
    })
  } catch (error) {
    if (refused(error)) return null
    throw error
  }
}

function refused(error) {
  return error instanceof client.WWWAuthenticateChallengeError || error instanceof client.ResponseBodyError
}

const redirect = (location, ...cookies) => ({ status: 303, headers: { location, 'set-cookie': cookies }, body: '' })
const kept = (name, value, seconds = 36000) => `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`
const cookie = (request, name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1]
const say = (request, english, korean) => (request.headers['accept-language']?.startsWith('ko') ? korean : english)
const escaped = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)

function page(request, main, status = 200) {
  const title = say(request, 'Node app', 'Node 앱')
  const head = `<meta charset="utf-8"><title>${title}</title><link rel="stylesheet" href="/look/style.css">`
  const body = `<!doctype html><html lang="${say(request, 'en', 'ko')}"><head>${head}</head><body><main>${main}</main></body></html>`
  return { status, headers: HEADERS, body }
}

createServer(async (request, response) => {
  const found = pages[`${request.method} ${request.url.split('?')[0]}`]
  const failed = (error) => page(request, `<h1>${say(request, 'The sign-in did not work:', '로그인하지 못했습니다:')} ${escaped(error.error ?? error.code ?? 'error')}</h1>`, 400)
  const { status, headers, body } = found ? await found(request).catch(failed) : page(request, '404', 404)
  response.writeHead(status, headers).end(body)
}).listen(new URL(NODE_WEB).port, '127.0.0.1', () => {
  console.log(`Node app: ${NODE_WEB} (people sign in at ${LOGIN_SERVICE})`)
})
