"""The embedded stack and the `sagamesh` command: everything on one machine, with nothing installed beforehand.

Runs servers and services as processes and talks to them over the wire; imports no domain, gateway or worker.
"""
