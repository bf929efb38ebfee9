"""Servers of others, started from here for the same work in the same rounds. One that cannot be had is left out."""
