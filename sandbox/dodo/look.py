"""What the pages have in common. They never pass for Dodo's, and ask nothing of any other host."""

from html import escape

from litestar import MediaType, Response

LABEL = "SANDBOX, not Dodo Payments"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; background: #f4f1ec; color: #222; margin: 0; padding: 2rem 1rem; }
main { background: #fff; border-radius: 14px; max-width: 27rem; margin: 0 auto; overflow: hidden;
  box-shadow: 0 1px 3px #0002, 0 8px 30px #0001; }
main.wide { max-width: 58rem; }
.label { background: #7a2e6b; color: #fff; margin: 0; padding: .55rem 1.5rem; font-weight: 600;
  letter-spacing: .03em; }
.inside { padding: 1.2rem 1.5rem 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; }
p { margin: .2rem 0 1rem; color: #555; overflow-wrap: anywhere; }
p.wrong { color: #a3200d; background: #fdf1ee; border-radius: 8px; padding: .5rem .8rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
dl.sum { display: grid; grid-template-columns: 1fr max-content; gap: .25rem 1rem; margin: 0 0 1rem; padding: .8rem 0;
  border: solid #e8e4dd; border-width: 1px 0; }
dl.sum dt { overflow-wrap: anywhere; } dl.sum dd { margin: 0; text-align: right; }
dl.sum .total { font-weight: 600; }
label { display: block; margin: .7rem 0; font-size: .9rem; color: #555; }
input, select { display: block; width: 100%; font: inherit; padding: .4rem .6rem; border: 1px solid #bbb;
  border-radius: 6px; background: #fff; color: #222; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; }
ul.cards { list-style: none; margin: 0 0 1rem; padding: .6rem .9rem; background: #f8f5f0; border-radius: 8px;
  font-size: .9rem; color: #555; }
ul.cards b { white-space: nowrap; font-weight: 600; color: #222; }
button { font: inherit; cursor: pointer; border-radius: 8px; padding: .5rem 1.1rem; border: 1px solid #7a2e6b;
  background: #7a2e6b; color: #fff; }
button.no { background: none; color: #7a2e6b; }
button.whole { display: block; width: 100%; margin-top: .8rem; }
article { border: 1px solid #e0dbd2; border-radius: 10px; margin: .8rem 0; padding: .7rem .9rem; }
article header { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline; }
article header b { font-weight: 600; } article header time { margin-left: auto; color: #666; font-size: .85rem; }
article p { margin: .1rem 0; font-size: .9rem; }
.mark { border-radius: 99px; padding: .05rem .6rem; font-size: .82rem; background: #eee9e1; white-space: nowrap; }
.mark.good { background: #dff0e0; color: #1c5a26; } .mark.bad { background: #fbe3de; color: #8f1c0b; }
.row { display: flex; flex-wrap: wrap; gap: .45rem; align-items: center; margin-top: .5rem; }
.row form { display: flex; gap: .45rem; align-items: center; margin: 0; flex-wrap: wrap; }
.row button { padding: .2rem .7rem; font-size: .88rem; border-radius: 6px; }
.row input, .row select { width: auto; padding: .2rem .5rem; font-size: .88rem; }
.row input { max-width: 6rem; }
.row label { display: contents; }
.sub { border-left: 3px solid #e8e4dd; margin: .5rem 0 0 .1rem; padding-left: .7rem; }
"""


def page(title: str, inside: str, *, status_code: int = 200, wide: bool = False) -> Response[str]:
    html = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - {LABEL}</title><style>{STYLE}</style></head>
<body><main{' class="wide"' if wide else ""}><p class="label">{LABEL}</p><div class="inside">
<h1>{escape(title)}</h1>
{inside}
</div></main></body></html>"""
    return Response(html, status_code=status_code, media_type=MediaType.HTML, headers=HEADERS)


def error_page(status_code: int, reason: str) -> Response[str]:
    return page("This does not work", f'<p class="wrong">{escape(reason)}.</p>', status_code=status_code)
