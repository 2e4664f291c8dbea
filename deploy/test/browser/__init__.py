"""Uses every page of a running service as people would; `browse` beside it starts the service.

Fails if something does not work or axe-core finds a barrier (WCAG 2.2 A and AA, best practices). Writes
pictures of all pages.
"""
