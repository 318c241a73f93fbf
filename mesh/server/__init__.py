"""The gRPC server of every service: one layer around each call, and a life cycle that drains.

Nothing here knows a domain: rules about calls come from the contracts' policy options.
"""

from mesh.process import StartError, run
from mesh.server.admission import Draining, Overloaded
from mesh.server.assembly import Service
from mesh.server.server import Server, serve

__all__ = ["Draining", "Overloaded", "Server", "Service", "StartError", "run", "serve"]
