"""J50–J56 of the attack list, and the proof checks of FAPI 2.0: what is wrong with a proof, by its cause.

Each row: parts of a proof for `TOKEN` that replace the right ones (`prover.proof`), and nothing else is wrong with it.
"""

from typing import Any, Final

from tests.resource import prover

TOKEN: Final = "https://login.example.com/oauth2/token"
SPOILED: Final[dict[str, dict[str, Any]]] = {
    "j51 typ missing": {"head": {"typ": None}},
    "j51 jwk missing": {"head": {"jwk": None}},
    "j51 alg missing": {"head": {"alg": None}, "alg": "ES256"},
    "j51 jti missing": {"jti": None},
    "j51 htm missing": {"htm": None},
    "j51 htu missing": {"htu": None},
    "j51 iat missing": {"iat": None},
    "j52 typ of another JWT": {"head": {"typ": "JWT"}},
    "j18 typ of an access token": {"head": {"typ": "at+jwt"}},
    "j52 alg none": {"head": {"alg": "none"}, "alg": "ES256"},
    "j52 alg symmetric": {"head": {"alg": "HS256"}, "alg": "ES256"},
    "j52 alg not offered": {"head": {"alg": "ES384"}, "alg": "ES256"},
    "j52 alg that fits the key and is not offered": {
        "key": prover.RSA_KEY,
        "head": {"alg": "RS512"},
        "alg": "RS512",
    },
    "j52 alg of another kind of key": {"head": {"alg": "RS256"}, "alg": "ES256"},
    "j52 signed by another key": {"head": {"jwk": prover.public(prover.OTHER_KEY)}},
    "j52 private key in jwk": {"head": {"jwk": prover.KEY.as_dict(private=True)}},
    "j52 symmetric key in jwk": {"head": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "j52 key in jwk is for another alg": {"head": {"jwk": {**prover.public(), "alg": "ES384"}}},
    "j52 exponent in jwk that takes long": {
        "key": prover.RSA_KEY,
        "head": {"jwk": {**prover.public(prover.RSA_KEY), "e": "AQAB" * 2}},
    },
    "j52 tiny key in jwk": {"head": {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}},
    "j11 jwk is an address": {"head": {"jwk": "https://evil.example/jwk"}},
    "j11 jku": {"head": {"jku": "https://evil.example/jwks"}},
    "j11 x5c": {"head": {"x5c": ["AAAA"]}},
    "j15 crit": {"head": {"crit": ["exp"]}},
    "j16 b64": {"head": {"b64": False}},
    "j30 header too long": {"head": {"pad": "x" * 4_000}},
    "j54 htm other method": {"htm": "GET"},
    "j54 htm in other case": {"htm": "post"},
    "j54 htm is a list": {"htm": ["POST"]},
    "j54 htu other path": {"uri": "https://login.example.com/oauth2/par"},
    "j54 htu with slash": {"uri": f"{TOKEN}/"},
    "j54 htu other port": {"uri": "https://login.example.com:8443/oauth2/token"},
    "j54 htu other host": {"uri": "https://login.example.org/oauth2/token"},
    "j54 htu other scheme": {"uri": "http://login.example.com/oauth2/token"},
    "j54 htu user": {"uri": "https://login.example.com@evil.example/oauth2/token"},
    "j54 htu user before our host": {"uri": "https://a@login.example.com/oauth2/token"},
    "j54 htu relative": {"uri": "/oauth2/token"},
    "j54 htu empty": {"uri": ""},
    "j54 htu impossible port": {"uri": "https://login.example.com:99999/oauth2/token"},
    "j54 htu backslash": {"uri": f"{TOKEN}\\"},
    "j54 htu IDN dot": {"uri": "https://login。example.com/oauth2/token"},
    "j54 htu is a list": {"htu": [TOKEN]},
    "j56 iat is text": {"iat": "1"},
    "j56 iat is a boolean": {"iat": True},
    "j57 jti empty": {"jti": ""},
    "j57 jti is a number": {"jti": 7},
    "j57 jti too long": {"jti": "x" * 257},
    "exp is over": {"exp": 1},
    "nbf is ahead": {"nbf": 10**10},
}
