"""The history of score_maker's schema. Expand and contract: a revision works with the replicas of the one before."""
