"""The embedded stack and the `sagamesh` command: everything on one machine, with nothing installed beforehand.

Runs servers and services as processes and talks to them over the wire. It imports no domain and no worker, and the
gateway only to serve other contracts with it.
"""
