"""The history of line_provider's schema. Expand and contract: a revision works with the replicas of the one before."""
