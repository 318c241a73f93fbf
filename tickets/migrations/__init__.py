"""The history of tickets's schema. Expand and contract: a revision works with the replicas of the one before."""
