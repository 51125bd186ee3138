"""The page on which a browser's user picks who to be. It never passes for Google's."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from litestar import MediaType, Response

from sandbox.google.grants import AuthorizationRequest
from sandbox.google.people import Person

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; background: #f4f1ec; color: #222; margin: 0; padding: 2rem 1rem; }
main { background: #fff; border-radius: 14px; max-width: 27rem; margin: 0 auto; overflow: hidden;
  box-shadow: 0 1px 3px #0002, 0 8px 30px #0001; }
.label { background: #7a2e6b; color: #fff; margin: 0; padding: .55rem 1.5rem; font-weight: 600;
  letter-spacing: .03em; }
.inside { padding: 1.2rem 1.5rem 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .2rem; }
p { margin: .2rem 0 1rem; color: #555; overflow-wrap: anywhere; }
button { font: inherit; cursor: pointer; }
.person { display: flex; align-items: center; gap: .9rem; width: 100%; text-align: left; background: none;
  border: 0; border-top: 1px solid #e8e4dd; padding: .7rem .4rem; }
.person:hover, .person:focus-visible { background: #f8f5f0; }
.person img, .person i { width: 42px; height: 42px; border-radius: 50%; flex: none; }
.person i { background: #7a2e6b; color: #fff; font-style: normal; display: grid; place-items: center; }
.person b { display: block; font-weight: 600; line-height: 1.3; }
.person small { color: #666; overflow-wrap: anywhere; }
.person em { font-style: normal; color: #a34a00; }
details { border-top: 1px solid #e8e4dd; padding: .7rem .4rem; }
summary { cursor: pointer; }
label { display: block; margin: .7rem 0; font-size: .9rem; color: #555; }
input:not([type=checkbox]) { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem .6rem;
  border: 1px solid #bbb; border-radius: 6px; }
.act { border-radius: 8px; padding: .45rem 1.1rem; border: 1px solid #7a2e6b; background: #7a2e6b; color: #fff; }
.act.no { background: none; color: #7a2e6b; margin-top: 1rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
LABEL = "SANDBOX, not Google"


def consent_page(request: AuthorizationRequest, people: Sequence[Person]) -> Response[str]:
    back = urlsplit(request.redirect_uri)
    return page(
        "Who do you want to be?",
        f"""<p>These people are made up. The one you pick signs in at <b>{escape(back.netloc)}</b>, which is told
{escape(", ".join(told(request.scope)))}.</p>
<form method="post">
{"".join(choice(person) for person in people)}
</form>
<details><summary>Somebody else</summary>
<form method="post">
<label>E-mail <input name="email" type="email" required value="eve.sandbox@example.org"></label>
<label>Name <input name="name" value="Eve Sandbox"></label>
<label>Number of the account (empty: a new account) <input name="sub" pattern="[0-9]*" maxlength="255"></label>
<label><input name="email_verified" type="checkbox" value="true" checked> The e-mail address is verified</label>
<button class="act">Sign in</button>
</form></details>
<form method="post"><button class="act no" name="deny" value="true">Cancel</button></form>""",
    )


def error_page(reason: str) -> Response[str]:
    return page("Access blocked: the request is not valid", f"<p>{escape(reason)}</p>", status_code=400)


def page(title: str, inside: str, status_code: int = 200) -> Response[str]:
    html = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - {LABEL}</title><style>{STYLE}</style></head>
<body><main><p class="label">{LABEL}</p><div class="inside">
<h1>{escape(title)}</h1>
{inside}
</div></main></body></html>"""
    return Response(html, status_code=status_code, media_type=MediaType.HTML, headers=HEADERS)


def choice(person: Person) -> str:
    initial = escape(person.name[:1])
    face = f'<img alt="" src="{escape(urlsplit(person.picture).path)}">' if person.picture else f"<i>{initial}</i>"
    doubt = "" if person.email_verified else " <em>(not verified)</em>"
    return f"""<button class="person" name="person" value="{escape(person.sub)}">{face}
<span><b>{escape(person.name)}</b><small>{escape(person.email)}{doubt}</small></span></button>
"""


def told(scope: str) -> list[str]:
    words = {"email": "the e-mail address", "profile": "the name and the picture"}
    return ["the account's number", *(words[word] for word in scope.split() if word in words)]
