"""Below ASGI: sockets and bytes, within limits. Knows no route and no contract.

`listening` opens the socket and runs uvicorn with connections of two kinds: `http`, whose bytes `reading` feeds to the
parser one request at a time and whose heads `heads` checks, and `web_sockets`. `coalescing` writes once a turn; `peers`
tells whether somebody is still there.
"""
