"""What the Makefile runs on the repository itself. Nothing here is imported by a service."""
