"""The page on which a person reads the mails that the sandbox kept."""

from collections.abc import Sequence
from html import escape

from litestar import MediaType, Response

from sandbox.brevo.mails import Mail

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
article { border: 1px solid #ccc; border-radius: 8px; margin: 1.5rem 0; overflow: hidden; }
header { background: #f4f1ec; padding: .8rem 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 0 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; margin: 0; font-size: .9rem; }
dt { color: #666; } dd { margin: 0; overflow-wrap: anywhere; }
iframe { width: 100%; height: 24rem; border: 0; display: block; background: #fff; }
details { padding: .6rem 1rem; border-top: 1px solid #eee; font-size: .9rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
"""

# A mail's frame inherits this: no script, nothing from anywhere else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'self'"


FRAME = "allow-popups allow-popups-to-escape-sandbox"


def outbox_page(mails: Sequence[Mail]) -> Response[str]:
    listed = "\n".join(article(mail) for mail in mails) or "<p>No mail was sent yet. Reload to look again.</p>"
    page = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Mails in the sandbox ({len(mails)})</title><style>{STYLE}</style></head>
<body><h1>Mails in the sandbox</h1>
<p>Brevo is played by a local sandbox: these mails were kept here and sent to nobody. Newest first; links open in a
new tab. The same as JSON: <a href="/brevo/mails">/brevo/mails</a>.</p>
{listed}
</body></html>"""
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Response(page, media_type=MediaType.HTML, headers=headers)


def article(mail: Mail) -> str:
    sender = mail.sender
    origin = f"{sender.name or ''} <{sender.email or sender.id}>".strip() if sender else ""
    to = ", ".join(f"{party.name or ''} <{party.email}>".strip() for party in mail.to)
    inner = f'<base target="_blank"><style>body {{ font: 16px/1.5 system-ui, sans-serif; }}</style>{mail.html}'
    links = "".join(
        f'<li><a href="{escape(link)}" target="_blank" rel="noreferrer">{escape(link)}</a></li>'
        for link in mail.links
        if link.startswith(("http://", "https://"))
    )
    return f"""<article id="mail-{mail.id}">
<header><h2>{escape(mail.subject)}</h2>
<dl><dt>To</dt><dd>{escape(to)}</dd><dt>From</dt><dd>{escape(origin)}</dd><dt>At</dt><dd>{escape(mail.at)}</dd></dl>
</header>
<iframe title="{escape(mail.subject)}" sandbox="{FRAME}" srcdoc="{escape(inner)}"></iframe>
<details><summary>Links and text</summary><ul>{links}</ul><pre>{escape(mail.text)}</pre></details>
</article>"""
