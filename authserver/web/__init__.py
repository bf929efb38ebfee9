"""What the surfaces share: where a step runs, cookies, CSRF, bodies, headers, errors, languages.

Owns everything that is HTTP and belongs to no single page or endpoint. Refuses rules: it asks the capabilities below.
"""
