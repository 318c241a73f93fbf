"""Mechanisms that every service shares. Domain words never appear here, and no domain is imported."""
