// npm oidc-provider with its own in-memory adapter, as fast as it is out of the box: nothing is written anywhere.
// PORT, WORKERS (processes), SEED (a file for SEEDED refresh tokens), KEY (a file with a private JWK).
import cluster from 'node:cluster'
import { readFileSync, writeFileSync } from 'node:fs'
import { Provider } from 'oidc-provider'

const port = Number(process.env.PORT)
const workers = Number(process.env.WORKERS ?? 1)
const secret = process.env.SECRET
const resource = 'https://api.example.com'
const seeded = Number(process.env.SEEDED ?? 0)

if (workers > 1 && cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_RR
  for (let count = 0; count < workers; count++) cluster.fork()
  process.on('SIGTERM', () => process.exit())
} else {
  const common = { client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' }
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      { ...common, client_id: 'service', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'read write' },
      { ...common, client_id: 'web', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['https://app.example.com/cb'], response_types: ['code'], scope: 'openid offline_access read write' },
    ],
    jwks: { keys: [JSON.parse(readFileSync(process.env.KEY))] },
    scopes: ['read', 'write', 'openid', 'offline_access'],
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    rotateRefreshToken: true,
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (process.env.OPAQUE ? undefined : resource),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'read write', audience: resource, accessTokenTTL: 3600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
    },
    ttl: { ClientCredentials: 3600 },
  })
  if (process.env.SEED) {
    const client = await provider.Client.find('web')
    const tokens = []
    for (let number = 0; number < seeded; number++) {
      const grant = new provider.Grant({ accountId: `person${number}`, clientId: 'web' })
      grant.addOIDCScope('openid offline_access')
      grant.addResourceScope(resource, 'read write')
      const token = new provider.RefreshToken({
        client, accountId: `person${number}`, grantId: await grant.save(), scope: 'openid offline_access read write',
        resource, gty: 'authorization_code', iat: Math.floor(Date.now() / 1000), rotations: 0,
      })
      tokens.push(await token.save())
    }
    writeFileSync(process.env.SEED, tokens.join('\n') + '\n')
  }
  provider.listen(port, '127.0.0.1')
}
