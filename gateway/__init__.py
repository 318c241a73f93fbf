"""REST/JSON in front of gRPC services, compiled from a descriptor set or reflection. Knows no domain and no token.

The way of a request: `transcoder` finds its route (`trie`, `template`; `handshakes` that of a WebSocket), the route's
endpoint (`unary`, `streams`, `sockets`; client streams are cut by `splitting` and bound one by one by `requests`) binds
it (`binding`, over `body`, `query`, `headers`, `masks`), calls the service (`upstreams`) and writes the answer
(`replies`, `framing`, `compression`, `errors`). What is for browsers only stands before all that (`browsers`, with
`cors` and `cookies`).
What a route needs is compiled by `routes` from what `contract` has read; `openapi` and `docs` tell clients. All that is
made of one contract is a `generation`; `reload` replaces it when a source (`sources`, `reflection`) has another.
`app` puts it all together; `connections` serve it, and bound what a client may send, and how slowly.
"""
