/**
 * Plays the browser and its person: keeps cookies, follows redirects, signs in, allows what the app asks for.
 *
 * It knows the server's pages only as a person does, by their forms.
 */

const LONGEST_WAY = 12
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'" }

export class Browser {
  #cookies = new Map()

  constructor({ issuer, username, password }) {
    this.origin = new URL(issuer).origin
    this.person = { username, password }
    this.pages = []
  }

  /** Go to an address of the server; answers the request that an app gets in the end, or of the last page. */
  async open(url) {
    let request = new Request(url)
    for (let step = 0; step < LONGEST_WAY; step += 1) {
      if (new URL(request.url).origin !== this.origin) return request
      const next = await this.#after(request)
      if (!next) return request
      request = next
    }
    throw new Error(`the browser goes in circles: ${this.pages.join(' ')}`)
  }

  async #after(request) {
    const answer = await this.#fetch(request)
    this.pages.push(`${answer.status} ${request.method} ${new URL(request.url).pathname}`)
    if (answer.status === 303) return new Request(new URL(answer.headers.get('location'), request.url))
    const page = await answer.text()
    if (answer.status !== 200) throw new Error(`${this.pages.at(-1)}: ${page}`)
    return this.#filledIn(page, request.url)
  }

  async #fetch(request) {
    const headers = new Headers(request.headers)
    headers.set('accept', 'text/html')
    headers.set('cookie', [...this.#cookies].map((pair) => pair.join('=')).join('; '))
    if (request.method === 'POST') headers.set('origin', this.origin)
    const answer = await fetch(new Request(request, { headers, redirect: 'manual' }))
    answer.headers.getSetCookie().forEach((line) => this.#keep(line))
    return answer
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(';')
    const at = pair.indexOf('=')
    const ended = attributes.some((one) => /^\s*max-age=0$/i.test(one))
    if (ended) this.#cookies.delete(pair.slice(0, at))
    else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }

  /** The page's form, sent as its person would send it: of two buttons with one name the first is pressed. */
  #filledIn(page, url) {
    const form = /<form[^>]*action="([^"]+)"[^>]*>(.*?)<\/form>/s.exec(page)
    if (!form) return null
    const body = new URLSearchParams()
    for (const [tag] of form[2].matchAll(/<(?:input|button)[^>]*>/g)) this.#fill(body, attributesOf(tag))
    return new Request(new URL(text(form[1]), url), { method: 'POST', body })
  }

  #fill(body, { name, value = '' }) {
    if (name && !body.has(name)) body.set(name, this.person[name] ?? value)
  }
}

function attributesOf(tag) {
  return Object.fromEntries([...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, text(value)]))
}

function text(html) {
  return html.replace(/&([\w#]+);/g, (whole, name) => ENTITIES[name] ?? whole)
}
