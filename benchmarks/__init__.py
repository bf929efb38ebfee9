"""What the server and its library cost, as ratios within one run: `python3 dev.py bench` (start with `__main__.py`).

Owns the load generator, the subjects to compare with, and the goals. Refuses absolute figures as goals wherever a
subject can stand beside ours: they drift between machines and minutes, a ratio of interleaved rounds does not.
"""
