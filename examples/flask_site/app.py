"""The tutorial's Flask site on a login service: its `/login` and its `/protected`, without its secret key.

What verifies here are public keys, so nothing in this process can sign a token.

`POST /login` took a password; now it says where to send one. It does not pass the password on, and does not redirect
the request with 307, which would do the same: whoever controls this site, or breaks into it, would be sent the
passwords of every other app as well, and people would learn to type them anywhere (RFC 9700 §4.12). Nor does it
answer 303, after which a program reads the sign-in page as a success. The login service's own `/login` takes the
tutorial's JSON and gives the tutorial's answers: a script changes one address.
"""

import logging
import os
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as Redirect

from authserver.resource import Reason
from authserver.resource.flask import Guard, RequestRefused, current_principal

LOGIN_SERVICE = os.environ.get("LOGIN_SERVICE", "http://127.0.0.1:8000")
FLASK_SITE = os.environ.get("FLASK_SITE", "http://127.0.0.1:8002")
UNAUTHORIZED = 401
ASKED = "flask_site_asked_again"  # a cookie: the login service was asked for another token a moment ago

app = Flask(__name__, static_folder="../look", static_url_path="/look")
app.json.ensure_ascii = False  # type: ignore[attr-defined]  # so that Korean is readable in a terminal
guard = Guard(LOGIN_SERVICE, audience=LOGIN_SERVICE, service="site")


# 로그인: 비밀번호는 로그인 서비스만 봅니다
@app.route("/login", methods=["GET"])
def login() -> Redirect:
    asked = urlencode({"return_to": f"{FLASK_SITE}/"})  # not from Host: the visitor writes that
    return redirect(f"{LOGIN_SERVICE}/login?{asked}", 303)


@app.route("/login", methods=["POST"])
def login_with_password() -> ResponseReturnValue:
    message = say("Send the password to the login service alone", "비밀번호는 로그인 서비스에만 보내세요")
    return (
        jsonify({"message": message, "login": f"{LOGIN_SERVICE}/login"}),
        405,
        {"Allow": "GET, HEAD, OPTIONS"},
    )


# 인증 확인 API (쿠키에서 JWT 확인)
@app.route("/protected", methods=["GET"])
@guard.require()
def protected() -> ResponseReturnValue:
    user = current_principal.sub
    return jsonify({"message": say(f"Welcome, {user}!", f"환영합니다, {user}!")})


@app.route("/", methods=["GET"])
@guard.require()
def home() -> ResponseReturnValue:
    return page(user=current_principal)


@app.errorhandler(RequestRefused)
def refused(error: RequestRefused) -> ResponseReturnValue:
    """`/protected` answers as the guard does; at home there is a page that says what to do."""
    answer = error.get_response()
    if request.endpoint != "home":
        return answer
    if error.code == UNAUTHORIZED and came_with_a_cookie(error) and ASKED not in request.cookies:
        return ask_for_another_token()
    answer.content_type = "text/html; charset=utf-8"
    answer.set_data(page(user=None, status=error.code, why=why(error)))
    return answer


def came_with_a_cookie(error: RequestRefused) -> bool:
    return error.refusal.reason is not Reason.MISSING and "Authorization" not in request.headers


def ask_for_another_token() -> ResponseReturnValue:
    """A token lives for an hour, the session behind it for days: where it still does, the login service sends people
    straight back with a new token. Once: a site with a wrong audience, say, would be sent a good token again and again.
    """
    answer = login()
    answer.set_cookie(ASKED, "1", max_age=30, httponly=True, samesite="Lax")
    return answer


def why(error: RequestRefused) -> str:
    """The guard's own sentences are for programs: they speak of tokens."""
    if error.refusal.reason is Reason.MISSING:
        return ""
    if error.code != UNAUTHORIZED:
        return say(
            "Sign-ins cannot be checked right now. Try again in a moment.",
            "지금은 로그인을 확인할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        )
    if error.refusal.reason is Reason.SIGNED_OUT:
        return say("You were signed out.", "로그아웃되었습니다.")
    return say(
        "Your sign-in could not be confirmed. Sign in again.",
        "로그인을 확인하지 못했습니다. 다시 로그인해 주세요.",
    )


@app.after_request
def harden(answer: Response) -> Response:
    if request.endpoint != "static":
        answer.headers["Cache-Control"] = "no-store"  # else "back" shows who was signed in
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def page(**facts: object) -> str:
    return render_template("home.html", language=language(), login_service=LOGIN_SERVICE, **facts)


def say(english: str, korean: str) -> str:
    return korean if language() == "ko" else english


def language() -> str:
    return request.accept_languages.best_match(["en", "ko"]) or "en"


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for each request
    server = make_server("127.0.0.1", urlsplit(FLASK_SITE).port or 8002, app, threaded=True)
    print(f"Flask site: {FLASK_SITE} (people sign in at {LOGIN_SERVICE})", flush=True)  # noqa: T201 - a program's word
    server.serve_forever()
